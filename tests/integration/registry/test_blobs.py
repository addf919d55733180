"""Pulling blobs (distribution specification, "Pulling blobs") and removing them."""

import pytest

from support.registry import Client, digest_of

DATA = bytes(range(256)) * 300
ABSENT = digest_of(b"nobody has this")


def test_a_blob_comes_back_with_its_digest_and_length(client: Client, name: str) -> None:
    digest = client.push_blob(name, DATA)
    for method, body in (("GET", DATA), ("HEAD", b"")):
        reply = client.request(method, f"/v2/{name}/blobs/{digest}").expect(200)
        assert reply.body == body
        assert reply.headers["Content-Length"] == str(len(DATA))
        assert reply.headers["Docker-Content-Digest"] == digest


def test_an_empty_blob_is_a_blob(client: Client, name: str) -> None:
    digest = client.push_blob(name, b"")
    assert client.get(f"/v2/{name}/blobs/{digest}").expect(200).body == b""


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_an_unknown_blob_is_not_found(client: Client, name: str, method: str) -> None:
    client.push_blob(name, b"there is something else")
    reply = client.request(method, f"/v2/{name}/blobs/{ABSENT}").expect(404)
    if method != "HEAD":
        assert reply.code == "BLOB_UNKNOWN"


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-9", 0, 9),
        ("bytes=100-", 100, len(DATA) - 1),
        ("bytes=-7", len(DATA) - 7, len(DATA) - 1),
        ("bytes=5-99999999", 5, len(DATA) - 1),
    ],
)
def test_a_range_is_a_part(client: Client, name: str, header: str, first: int, last: int) -> None:
    digest = client.push_blob(name, DATA)
    reply = client.get(f"/v2/{name}/blobs/{digest}", Range=header).expect(206)
    assert reply.body == DATA[first : last + 1]
    assert reply.headers["Content-Range"] == f"bytes {first}-{last}/{len(DATA)}"


@pytest.mark.differs("answers 416 with the whole blob's length and no body")
def test_a_range_past_the_end_cannot_be_satisfied(client: Client, name: str) -> None:
    digest = client.push_blob(name, DATA)
    reply = client.get(f"/v2/{name}/blobs/{digest}", Range=f"bytes={len(DATA)}-").expect(416)
    assert reply.headers["Content-Range"] == f"bytes */{len(DATA)}"


def test_who_has_the_content_is_told_so(client: Client, name: str) -> None:
    digest = client.push_blob(name, DATA)
    tag = client.get(f"/v2/{name}/blobs/{digest}").headers["ETag"]
    assert client.get(f"/v2/{name}/blobs/{digest}", If_None_Match=tag).expect(304).body == b""


def test_a_blob_is_read_only_where_it_was_pushed(client: Client, name: str) -> None:
    digest = client.push_blob(name, b"content of one repository " + name.encode())
    assert client.get(f"/v2/{name}-other/blobs/{digest}").expect(404).code in ("BLOB_UNKNOWN", "NAME_UNKNOWN")


def test_a_removed_blob_is_gone_here_and_stays_elsewhere(client: Client, name: str) -> None:
    data = b"shared " + name.encode()
    digest = client.push_blob(name, data)
    client.push_blob(f"{name}/other", data)
    client.request("DELETE", f"/v2/{name}/blobs/{digest}").expect(202)
    client.get(f"/v2/{name}/blobs/{digest}").expect(404)
    assert client.get(f"/v2/{name}/other/blobs/{digest}").expect(200).body == data


@pytest.mark.differs("knows the path only for well-formed digests and answers a plain 404")
@pytest.mark.parametrize("digest", ["sha256:totallywrong", "md5:" + "0" * 32, "sha256:" + "A" * 64])
def test_what_is_no_digest_is_refused(client: Client, name: str, digest: str) -> None:
    assert client.get(f"/v2/{name}/blobs/{digest}").expect(400).code == "DIGEST_INVALID"


@pytest.mark.differs("answers a plain 404")
@pytest.mark.parametrize("bad", ["Upper/case", "a//b", "-a/b", "a/_b", "x" * 256])
def test_a_bad_name_is_refused(client: Client, bad: str) -> None:
    assert client.get(f"/v2/{bad}/blobs/{ABSENT}").expect(400).code == "NAME_INVALID"


def test_repositories_may_be_called_as_the_api_calls_things(client: Client, name: str) -> None:
    for odd in (f"{name}/blobs", f"{name}/manifests", f"{name}/blobs/uploads", f"{name}/tags/list"):
        digest = client.push_blob(odd, odd.encode())
        assert client.get(f"/v2/{odd}/blobs/{digest}").expect(200).body == odd.encode()
