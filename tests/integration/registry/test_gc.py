"""Garbage collection, also while pushes go on."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from support.registry import Client, Server, digest_of, index_of, small_image, with_query

Start = Callable[..., Server]


def collect(root: Path, *flags: str) -> dict[str, int]:
    command = [sys.executable, "-m", "argosy.registry", "gc", "--root", str(root), "--json", *flags]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def age(root: Path, seconds: float = 86400) -> None:
    """Make everything that lies there older."""
    for path in root.rglob("*"):
        if path.is_file() and path.name != "VERSION":
            status = path.stat()
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns - int(seconds * 1e9)))


def blobs(root: Path) -> int:
    return len(list(root.glob("blobs/*/*/*")))


def test_what_no_manifest_names_goes_when_it_is_old_enough(serve: Start, tmp_path: Path) -> None:
    client, root = serve().client(), tmp_path / "root"
    image = client.push_image("team/app", "v1")
    lonely = client.push_blob("team/app", b"lonely")
    assert collect(root)["blobs"] == 0
    age(root, 86400)
    said = collect(root, "--dry-run")
    assert (said["blobs"], said["freed"]) == (1, len(b"lonely"))
    client.get(f"/v2/team/app/blobs/{lonely}").expect(200)
    assert collect(root) == said
    client.get(f"/v2/team/app/blobs/{lonely}").expect(404)
    assert client.manifest("team/app", "v1").body == image.manifest and blobs(root) == 2


def test_a_blob_stays_for_the_other_repository(serve: Start, tmp_path: Path) -> None:
    client, root = serve().client(), tmp_path / "root"
    client.push_image("one/app", "v1")
    client.push_image("two/app", "v1")
    client.request("DELETE", f"/v2/one/app/manifests/{small_image().digest}").expect(202)
    age(root)
    assert collect(root)["freed"] == 0
    assert client.get("/v2/_catalog").json()["repositories"] == ["two/app"]
    assert not (root / "repositories/one").exists()
    client.get(f"/v2/two/app/blobs/{digest_of(small_image().blobs[1])}").expect(200)


def test_a_client_that_was_told_of_a_blob_can_count_on_it(serve: Start, tmp_path: Path) -> None:
    client, root = serve().client(), tmp_path / "root"
    image = small_image()
    for blob in image.blobs:
        client.push_blob("team/app", blob)
    age(root)
    for blob in image.blobs:
        client.request("HEAD", f"/v2/team/app/blobs/{digest_of(blob)}").expect(200)
    assert collect(root)["blobs"] == 0
    client.put_manifest("team/app", "v1", image.manifest).expect(201)


def test_a_mount_is_a_lease_too(serve: Start, tmp_path: Path) -> None:
    client, root = serve().client(), tmp_path / "root"
    digest = client.push_blob("from/app", b"to be mounted")
    age(root)
    client.begin("to/app", f"?mount={digest}&from=from/app").expect(201)
    assert collect(root)["blobs"] == 0
    client.get(f"/v2/to/app/blobs/{digest}").expect(200)


def test_untagged_manifests_go_only_when_told(serve: Start, tmp_path: Path) -> None:
    client, root = serve().client(), tmp_path / "root"
    old, new = client.push_image("team/app", "v1", seed="old"), client.push_image("team/app", "v1", seed="new")
    child = client.push_image("team/app", seed="child")
    client.put_manifest("team/app", "both", index_of(child), "application/vnd.oci.image.index.v1+json").expect(201)
    age(root)
    assert collect(root)["manifests"] == 0
    assert collect(root, "--delete-untagged")["manifests"] == 1
    client.manifest("team/app", old.digest).expect(404)
    for image in (new, child):
        client.manifest("team/app", image.digest).expect(200)


def test_retention_keeps_the_last_tags(serve: Start, tmp_path: Path) -> None:
    client, root = serve().client(), tmp_path / "root"
    for number in range(5):
        client.push_image("team/app", f"build-{number}", seed=str(number))
        age(root, 4000)
    client.push_image("team/app", "release", seed="release")
    config = tmp_path / "registry.toml"
    config.write_text('[[retention]]\nrepositories = "team/*"\ntags = "build-*"\nkeep = 2\n')
    report = collect(root, "--config", str(config))
    assert (report["tags"], report["manifests"], report["blobs"]) == (3, 3, 6)
    assert client.get("/v2/team/app/tags/list").json()["tags"] == ["build-3", "build-4", "release"]


def test_old_uploads_go(serve: Start, tmp_path: Path) -> None:
    client, root = serve().client(), tmp_path / "root"
    location = client.begin("team/app").location
    client.request("PATCH", location, body=b"half of it").expect(202)
    assert collect(root)["uploads"] == 0
    age(root, 90_000)
    report = collect(root)
    assert (report["uploads"], report["freed"]) == (1, len(b"half of it"))
    client.get(location).expect(404)
    assert list((root / "repositories").iterdir()) == []


def test_pushes_and_collections_at_once_lose_nothing(serve: Start, tmp_path: Path) -> None:
    """The harshest setting there is: the grace is less than a push takes, but leases hold while the manifest is put."""
    server, root = serve(), tmp_path / "root"
    failed: list[BaseException] = []

    def push(number: int) -> None:
        client = server.client()
        try:
            for turn in range(12):
                repository = f"team/app{number % 2}"
                image = client.push_image(repository, f"t{number}", seed=f"{number % 3} {turn}", layers=2)
                check(client, repository, image.digest)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=push, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    runs = 0
    while any(thread.is_alive() for thread in threads):
        collect(root, "--gc-grace", "2s", "--delete-untagged")
        runs += 1
    for thread in threads:
        thread.join()
    assert not failed and runs
    for number in range(3):
        check(server.client(), f"team/app{number % 2}", f"t{number}")


def check(client: Client, repository: str, reference: str) -> None:
    manifest = client.manifest(repository, reference).expect(200).json()
    for part in (manifest["config"], *manifest["layers"]):
        assert digest_of(client.get(f"/v2/{repository}/blobs/{part['digest']}").expect(200).body) == part["digest"]


def test_a_slow_push_is_told_what_is_missing(serve: Start, tmp_path: Path) -> None:
    client, root = serve().client(), tmp_path / "root"
    image = small_image()
    for blob in image.blobs:
        client.push_blob("team/app", blob)
    age(root)
    collect(root)
    assert client.put_manifest("team/app", "v1", image.manifest).expect(404).code == "MANIFEST_BLOB_UNKNOWN"
    client.push_image("team/app", "v1")


def test_the_server_collects_by_itself(serve: Start, tmp_path: Path) -> None:
    root = tmp_path / "root"
    client = serve("--gc-interval", "200ms", "--gc-grace", "0s").client()
    digest = client.push_blob("team/app", b"lonely")
    while client.get(f"/v2/team/app/blobs/{digest}").status == 200:
        pass
    assert client.get(with_query("/v2/_catalog", "n=5")).json() == {"repositories": []}
    while blobs(root):
        pass
