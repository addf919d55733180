"""kill -9 at every boundary: nothing half-made is visible, and the client that tries again succeeds."""

import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.registry import Client, Server, digest_of, small_image, with_query

DATA = b"some content " * 40_000
BROKEN = (ConnectionError, http.client.HTTPException, OSError)

Start = Callable[..., Server]


def dies(act: Callable[[], object], server: Server) -> None:
    with pytest.raises(BROKEN):
        act()
    server.process.wait(20)


def failing(serve: Start, point: str) -> Server:
    return serve(environ={"ARGOSY_FAILPOINTS": f"{point}=kill"})


def check(client: Client, root: Path) -> None:
    """Everything that can be seen is whole."""
    names = client.get("/v2/_catalog").json()["repositories"]
    for name in names:
        for tag in client.get(f"/v2/{name}/tags/list").json()["tags"]:
            reply = client.manifest(name, tag).expect(200)
            for part in [reply.json().get("config"), *reply.json().get("layers", []), *reply.json().get("manifests", [])]:
                if part:
                    kind = "manifests" if "manifest" in part["mediaType"] else "blobs"
                    assert digest_of(client.get(f"/v2/{name}/{kind}/{part['digest']}").expect(200).body) == part["digest"]
    for path in root.glob("blobs/*/*/*"):
        assert digest_of(path.read_bytes(), path.parts[-3]) == f"{path.parts[-3]}:{path.name}"


@pytest.mark.parametrize("point", ["registry.upload.synced", "registry.blob.pooled", "registry.blob.linked"])
def test_an_upload_ends_well_after_a_death_at_its_end(serve: Start, tmp_path: Path, point: str) -> None:
    server = failing(serve, point)
    client = server.client()
    location = client.begin("team/app").expect(202).location
    location = client.request("PATCH", location, body=DATA).expect(202).location
    digest = digest_of(DATA)
    dies(lambda: client.request("PUT", with_query(location, f"digest={digest}"), body=b""), server)
    client = serve().client()
    check(client, tmp_path / "root")
    seen = client.get(f"/v2/team/app/blobs/{digest}")
    assert seen.status == 404 or seen.body == DATA
    # What is a blob already must not be changed by going on with its upload.
    client.request("PATCH", location, body=b"more").expect(202 if point == "registry.upload.synced" else 416)
    if point == "registry.upload.synced":
        client.request("PUT", with_query(location, f"digest={digest_of(DATA + b'more')}"), body=b"").expect(201)
    else:
        client.request("PUT", with_query(location, f"digest={digest}"), body=b"").expect(201)
        assert client.get(f"/v2/team/app/blobs/{digest}").expect(200).body == DATA
    check(client, tmp_path / "root")


def test_a_killed_server_goes_on_with_the_upload(serve: Start) -> None:
    server = serve()
    client = server.client()
    location = client.begin("team/app").expect(202).location
    client.request("PATCH", location, body=DATA[:100_000], Content_Range="0-99999").expect(202)
    host, port = client.address.split(":")
    with socket.create_connection((host, int(port))) as wire:
        wire.sendall(f"PATCH {location} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(DATA)}\r\n\r\n".encode() + DATA[100_000:150_000])
        server.kill()
    client = serve().client()
    have = int(client.get(location).expect(204).headers["Range"].split("-")[1]) + 1
    assert 100_000 <= have <= 150_000
    client.request("PATCH", location, body=DATA[have:], Content_Range=f"{have}-{len(DATA) - 1}").expect(202)
    client.request("PUT", with_query(location, f"digest={digest_of(DATA)}"), body=b"").expect(201)
    assert client.get(f"/v2/team/app/blobs/{digest_of(DATA)}").body == DATA


@pytest.mark.parametrize("point", ["registry.manifest.referrer", "registry.manifest.stored", "registry.manifest.tagged"])
def test_a_tag_stands_for_the_old_or_the_new(serve: Start, tmp_path: Path, point: str) -> None:
    server = serve()
    client = server.client()
    old = client.push_image("team/app", "v1", seed="old")
    new = small_image("new", subject=old.descriptor)
    for blob in new.blobs:
        client.push_blob("team/app", blob)
    server.stop()
    server = failing(serve, point)
    dies(lambda: server.client().put_manifest("team/app", "v1", new.manifest), server)
    client = serve().client()
    check(client, tmp_path / "root")
    found = client.manifest("team/app", "v1").headers["Docker-Content-Digest"]
    assert found == (new.digest if point == "registry.manifest.tagged" else old.digest)
    listed = client.get(f"/v2/team/app/referrers/{old.digest}").json()["manifests"]
    assert len(listed) == (0 if point == "registry.manifest.referrer" else 1)
    client.put_manifest("team/app", "v1", new.manifest).expect(201)
    assert client.manifest("team/app", "v1").body == new.manifest


@pytest.mark.parametrize(
    "point", ["registry.gc.decided", "registry.gc.manifest", "registry.gc.manifest:2", "registry.gc.blob", "registry.gc.pool"]
)
def test_a_garbage_collection_that_died_has_broken_nothing(serve: Start, tmp_path: Path, point: str) -> None:
    server = serve()
    client = server.client()
    kept = client.push_image("team/app", "kept", seed="kept")
    for number in range(3):
        client.push_image("team/app", "moving", seed=f"old {number}")
    root = tmp_path / "root"
    gc = [sys.executable, "-m", "argosy.registry", "gc", "--root", str(root), "--gc-grace", "0", "--delete-untagged"]
    died = subprocess.run(gc, env={**os.environ, "ARGOSY_FAILPOINTS": f"{point}=kill"}, capture_output=True)
    assert died.returncode == -9
    check(client, root)
    subprocess.run(gc, check=True, capture_output=True)
    check(client, root)
    assert client.manifest("team/app", "kept").body == kept.manifest
    # Two images of one layer and one configuration each are left.
    assert len(list(root.glob("blobs/*/*/*"))) == len(list(root.glob("repositories/team/app/_blobs/*/*"))) == 4
