"""Pushing blobs (distribution specification, "Pushing Blobs"): whole, in chunks, resumed, mounted, cancelled."""

import socket
import time

import pytest

from support.registry import Client, digest_of, with_query

DATA = b"0123456789" * 50_000
HALF = len(DATA) // 2


def finish(client: Client, location: str, digest: str, body: bytes = b"", **headers: str):
    return client.request("PUT", with_query(location, f"digest={digest}"), body=body, **headers)


def test_post_then_put_of_all(client: Client, name: str) -> None:
    reply = client.begin(name).expect(202)
    assert reply.headers["Docker-Upload-UUID"]
    digest = digest_of(DATA)
    made = finish(client, reply.location, digest, DATA, Content_Type="application/octet-stream").expect(201)
    assert made.location == f"/v2/{name}/blobs/{digest}"
    assert made.headers["Docker-Content-Digest"] == digest
    assert client.get(made.location).body == DATA


@pytest.mark.differs("begins an upload and waits for a PUT, as the specification allows")
def test_one_post_with_everything(client: Client, name: str) -> None:
    digest = digest_of(DATA)
    made = client.request("POST", f"/v2/{name}/blobs/uploads/?digest={digest}", body=DATA, Content_Type="application/octet-stream").expect(
        201
    )
    assert made.location == f"/v2/{name}/blobs/{digest}"
    assert client.get(made.location).body == DATA


def test_streamed_without_a_length(client: Client, name: str) -> None:
    location = client.begin(name).expect(202).location
    pieces = (DATA[start : start + 70_001] for start in range(0, len(DATA), 70_001))
    reply = client.request("PATCH", location, body=pieces, Transfer_Encoding="chunked").expect(202)
    assert reply.headers["Range"] == f"0-{len(DATA) - 1}"
    digest = digest_of(DATA)
    finish(client, reply.location, digest).expect(201)
    assert client.get(f"/v2/{name}/blobs/{digest}").body == DATA


def test_chunks_in_order(client: Client, name: str) -> None:
    location = client.begin(name).expect(202).location
    first = client.request("PATCH", location, body=DATA[:HALF], Content_Range=f"0-{HALF - 1}").expect(202)
    assert first.headers["Range"] == f"0-{HALF - 1}"
    second = client.request("PATCH", first.location, body=DATA[HALF:], Content_Range=f"{HALF}-{len(DATA) - 1}").expect(202)
    finish(client, second.location, digest_of(DATA)).expect(201)
    assert client.get(f"/v2/{name}/blobs/{digest_of(DATA)}").body == DATA


def test_the_last_chunk_may_come_with_the_put(client: Client, name: str) -> None:
    location = client.begin(name).expect(202).location
    first = client.request("PATCH", location, body=DATA[:HALF], Content_Range=f"0-{HALF - 1}").expect(202)
    finish(client, first.location, digest_of(DATA), DATA[HALF:], Content_Range=f"{HALF}-{len(DATA) - 1}").expect(201)
    assert client.get(f"/v2/{name}/blobs/{digest_of(DATA)}").body == DATA


@pytest.mark.differs("2.8 does not look at Content-Range")
@pytest.mark.parametrize("header", [f"{HALF}-{len(DATA) - 1}", "nonsense", "9-1", f"1-{HALF}"])
def test_a_chunk_out_of_order_is_refused_and_the_upload_goes_on(client: Client, name: str, header: str) -> None:
    location = client.begin(name).expect(202).location
    reply = client.request("PATCH", location, body=DATA[HALF:], Content_Range=header).expect(416)
    assert reply.headers["Range"] == "0-0" and reply.location == location
    first = client.request("PATCH", location, body=DATA[:HALF], Content_Range=f"0-{HALF - 1}").expect(202)
    again = client.request("PATCH", first.location, body=DATA[:HALF], Content_Range=f"0-{HALF - 1}").expect(416)
    assert again.headers["Range"] == f"0-{HALF - 1}"
    finish(client, first.location, digest_of(DATA), DATA[HALF:]).expect(201)


@pytest.mark.differs("2.8 does not look at Content-Range")
def test_a_chunk_of_another_length_than_it_says_is_refused(client: Client, name: str) -> None:
    location = client.begin(name).expect(202).location
    assert client.request("PATCH", location, body=DATA[:HALF], Content_Range=f"0-{HALF}").expect(400).code == "SIZE_INVALID"
    chunked = (DATA[:HALF] for _ in range(1))
    client.request("PATCH", location, body=chunked, Content_Range=f"0-{HALF}", Transfer_Encoding="chunked").expect(400)
    assert client.get(location).expect(204).headers["Range"] == "0-0"


def test_the_state_of_an_upload_can_be_asked_for(client: Client, name: str) -> None:
    location = client.begin(name).expect(202).location
    state = client.get(location).expect(204)
    assert state.headers["Range"] == "0-0" and state.headers["Docker-Upload-UUID"]
    patched = client.request("PATCH", state.location, body=DATA[:HALF]).expect(202)
    assert client.get(patched.location).expect(204).headers["Range"] == f"0-{HALF - 1}"


def test_a_cancelled_upload_is_unknown(client: Client, name: str) -> None:
    location = client.begin(name).expect(202).location
    client.request("DELETE", location).expect(204)
    for method in ("GET", "PATCH", "DELETE"):
        assert client.request(method, location, body=b"x" if method == "PATCH" else None).expect(404).code == "BLOB_UPLOAD_UNKNOWN"


def test_an_upload_belongs_to_its_repository(client: Client, name: str) -> None:
    location = client.begin(name).expect(202).location
    client.get(location.replace(name, f"{name}-other")).expect(404)


def test_a_digest_that_does_not_match_is_refused(client: Client, name: str) -> None:
    wrong = digest_of(b"something else")
    reply = finish(client, client.begin(name).location, wrong, DATA).expect(400)
    assert reply.code == "DIGEST_INVALID"
    client.get(f"/v2/{name}/blobs/{wrong}").expect(404)


@pytest.mark.parametrize("query", ["", "?digest=sha256:short", "?digest=nothing"])
def test_an_upload_ends_only_with_a_digest(client: Client, name: str, query: str) -> None:
    location = client.begin(name).location
    client.request("PUT", with_query(location, query[1:]) if query else location, body=DATA).expect(400)


def test_sha512_is_as_good(client: Client, name: str) -> None:
    digest = client.push_blob(name, DATA, "sha512")
    reply = client.get(f"/v2/{name}/blobs/{digest}").expect(200)
    assert reply.body == DATA


def test_a_blob_is_mounted_from_another_repository(client: Client, name: str) -> None:
    data = b"to be mounted " + name.encode()
    digest = client.push_blob(name, data)
    reply = client.begin(f"{name}/to", f"?mount={digest}&from={name}").expect(201)
    assert reply.location == f"/v2/{name}/to/blobs/{digest}"
    assert client.get(reply.location).body == data


def test_a_mount_of_what_is_not_there_becomes_an_upload(client: Client, name: str) -> None:
    digest = digest_of(DATA + name.encode())
    reply = client.begin(f"{name}/to", f"?mount={digest}&from={name}").expect(202)
    finish(client, reply.location, digest, DATA + name.encode()).expect(201)


@pytest.mark.differs("mounts only with from")
def test_a_mount_finds_the_blob_wherever_it_is(client: Client, name: str) -> None:
    data = b"somewhere " + name.encode()
    digest = client.push_blob(f"{name}/deep/below", data)
    reply = client.begin(f"{name}/to", f"?mount={digest}").expect(201)
    assert client.get(reply.location).body == data


@pytest.mark.differs("knows such an upload only by the state in an answer that never came")
def test_an_upload_that_was_cut_off_goes_on_where_it_ended(client: Client, name: str) -> None:
    location = client.begin(name).expect(202).location
    host, port = client.address.split(":")
    with socket.create_connection((host, int(port))) as wire:
        head = f"PATCH {location} HTTP/1.1\r\nHost: {client.address}\r\nContent-Length: {len(DATA)}\r\n\r\n"
        wire.sendall(head.encode() + DATA[:HALF])
    end = time.monotonic() + 20
    while (state := client.get(location)).headers["Range"] != f"0-{HALF - 1}":
        assert time.monotonic() < end, f"{state.status}: {state.headers['Range']} was kept"
        time.sleep(0.02)
    reply = client.request("PATCH", state.location, body=DATA[HALF:], Content_Range=f"{HALF}-{len(DATA) - 1}").expect(202)
    finish(client, reply.location, digest_of(DATA)).expect(201)
    assert client.get(f"/v2/{name}/blobs/{digest_of(DATA)}").body == DATA


def test_equal_content_may_be_pushed_twice(client: Client, name: str) -> None:
    assert client.push_blob(name, DATA) == client.push_blob(name, DATA)
