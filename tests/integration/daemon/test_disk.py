"""The disk of a running daemon: what ``system df`` says is what du(1) finds, a full one makes room for itself, and no archive fills it."""

import asyncio
import gzip
import io
import json
import os
import subprocess
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from argosy.images.record import IMAGES, ImageRecord
from argosy.storage.database import Database
from support.daemon import Daemon
from support.loop import loop

pytestmark = pytest.mark.root

MB = 1 << 20
TAR = {"Content-Type": "application/x-tar"}


def tar(**files: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def until(true: Callable[[], Any], seconds: float = 60) -> Any:
    """Return what is true at last. Raises AssertionError when it never is."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def told(daemon: Daemon) -> int:
    """Return the sum of what ``system df`` tells: what is shared is in the images' sum."""
    usage = daemon.api("GET", "/system/df")
    cache = sum(record["Size"] for record in usage["BuildCache"] or () if not record["Shared"])
    volumes = sum(volume["UsageData"]["Size"] for volume in usage["Volumes"] or ())
    containers = sum(container.get("SizeRw", 0) for container in usage["Containers"] or ())
    return int(usage["LayersSize"] + cache + volumes + containers)


def found(daemon: Daemon) -> int:
    """Return what du(1) finds under the data root, without the daemon's own database and its reserve of 8 MiB."""
    words = ["du", "-sx", "--block-size=1", "--exclude=state.*", str(daemon.data_root)]
    return int(subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()[0])


def agree(daemon: Daemon) -> None:
    """What was removed is freed in the background: wait for that, then compare."""
    until(lambda: abs(found(daemon) - told(daemon)) <= told(daemon) // 100)


def post(daemon: Daemon, route: str, data: bytes) -> bytes:
    status, _, answer = daemon.api.raw("POST", route, data, TAR, timeout=120)
    assert status == 200, answer[-400:]
    assert b"errorDetail" not in answer, answer[-400:]
    return answer


def test_df_is_what_du_finds(leak_check: object, argosyd: Daemon) -> None:
    api = argosyd.api
    post(argosyd, "/images/create?fromSrc=-&repo=plain", tar(a=os.urandom(20 * MB)))
    post(argosyd, "/images/create?fromSrc=-&repo=packed", gzip.compress(tar(b=os.urandom(20 * MB)), 1))
    post(argosyd, "/images/create?fromSrc=-&repo=kept", tar(k=os.urandom(30 * MB)))
    agree(argosyd)
    # A compressed layer is kept as it came, beside its files.
    archive = _saved_with_packed_layers(api.raw("GET", "/images/plain/get")[2])
    api("DELETE", "/images/plain")
    post(argosyd, "/images/load", archive)
    agree(argosyd)
    text = b"FROM kept\nCOPY f /f\nFROM busybox\nRUN head -c 9000000 /dev/urandom > /big\nRUN head -c 8000000 /dev/urandom > /more\n"
    post(argosyd, "/build?t=built", tar(Dockerfile=text, f=b"x"))
    agree(argosyd)
    script = "head -c 7000000 /dev/urandom > /w; head -c 6000000 /dev/urandom > /v/x"
    container = api("POST", "/containers/create", {"Image": "built", "Cmd": ["sh", "-c", script], "Volumes": {"/v": {}}})["Id"]
    api("POST", f"/containers/{container}/start")
    assert api("POST", f"/containers/{container}/wait")["StatusCode"] == 0
    agree(argosyd)
    api("DELETE", "/images/packed")
    agree(argosyd)
    api("DELETE", "/images/built?force=1")
    agree(argosyd)
    api("DELETE", f"/containers/{container}?v=1")
    agree(argosyd)
    api("POST", "/build/prune?all=1")
    agree(argosyd)
    for image in ("busybox", "plain"):
        api("DELETE", f"/images/{image}")
    api("POST", "/images/prune")
    agree(argosyd)
    assert [image["RepoTags"] for image in api("GET", "/images/json")] == [["kept:latest"]]
    assert abs(told(argosyd) - 30 * MB) < MB


def _saved_with_packed_layers(archive: bytes) -> bytes:
    """Return an archive of ``docker save`` as old ones are, whose layers are compressed."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as saved:
        files = {member.name: saved.extractfile(member).read() for member in saved if member.isreg()}  # type: ignore[union-attr]
    (image,) = json.loads(files["manifest.json"])
    layers = {f"{number}.tar.gz": gzip.compress(files[name], 1) for number, name in enumerate(image["Layers"])}
    described = [{"Config": "config.json", "RepoTags": image["RepoTags"], "Layers": list(layers)}]
    return tar(**{"config.json": files[image["Config"]], **layers, "manifest.json": json.dumps(described).encode()})


# ---------------------------------------------------------------- a disk that runs full


def fill(point: Path) -> float:
    """Return per cent, as df(1) counts."""
    disk = os.statvfs(point)
    used = disk.f_blocks - disk.f_bfree
    return 100 * used / (used + disk.f_bavail)


@pytest.fixture
def small(leak_check: object, daemons: Callable[..., Daemon]) -> Callable[..., Daemon]:
    """A maker of a daemon whose data root is a file system of so many megabytes."""

    def make(point: Path, *arguments: str) -> Daemon:
        daemon = daemons(start=False, arguments=arguments)
        daemon.data_root = point / "data"
        daemon.start()
        return daemon

    return make


def age(daemon: Daemon, hours: dict[str, int]) -> None:
    """Make images look as if they had come so many hours ago; the daemon is stopped."""

    async def write() -> None:
        database = Database(daemon.data_root / "state.db")
        database.open()
        for image, value in database.load(IMAGES).items():
            then = time.time_ns() - hours[image] * 3600 * 10**9
            record = msgspec.structs.replace(msgspec.json.decode(value, type=ImageRecord), arrived=then, last_tagged=then)
            await database.put(IMAGES, image, msgspec.json.encode(record))
        database.close()

    asyncio.run(write())


def test_a_disk_above_the_mark_is_brought_below_the_other(small: Callable[..., Daemon], tmp_path: Path) -> None:
    with loop(tmp_path, "ext4", 300) as point:
        daemon = small(point, "--disk-high-watermark", "85")
        try:
            daemon.import_busybox()
            ids = {"busybox": daemon.api("GET", "/images/busybox/json")["Id"]}
            while fill(point) < 86:
                name = f"image{len(ids):02}"
                post(daemon, f"/images/create?fromSrc=-&repo={name}", tar(x=os.urandom(12 * MB)))
                ids[name] = daemon.api("GET", f"/images/{name}/json")["Id"]
            daemon.api("POST", "/containers/create", {"Image": "image01", "Cmd": ["x"]})
            daemon.stop()
            age(daemon, {image: 100 - number for number, image in enumerate(ids.values())} | {ids["image02"]: 0})
            daemon.start()
            until(lambda: fill(point) <= 75.5)
            left = {name.partition(":")[0] for image in daemon.api("GET", "/images/json") for name in image["RepoTags"]}
            # Of a container, and just come: these stay. Of the others the longest unused are gone, and no more than was needed.
            gone = sorted(ids.keys() - left)
            assert gone == sorted(name for name in ids if name not in ("image01", "image02"))[: len(gone)]
            assert fill(point) > 75 - 100 * 12 * MB / (280 * MB) - 1
            assert "% full (mark: 85 %): freeing" in daemon.log_end()
        finally:
            daemon.destroy()


# ---------------------------------------------------------------- archives that would fill it


def bomb() -> bytes:
    """Return ten gigabytes of zeros in a tar, in ten megabytes of gzip: members one after another (RFC 1952)."""
    member = tarfile.TarInfo("zeros")
    member.size = 10 << 30
    piece = gzip.compress(bytes(64 * MB), 9)
    return gzip.compress(member.tobuf(tarfile.GNU_FORMAT)) + piece * 160


def test_no_archive_fills_disk_or_memory(small: Callable[..., Daemon], tmp_path: Path) -> None:
    data = bomb()
    assert 9 * MB < len(data) < 12 * MB
    words = b"of the archive unpack to more than 1.074GB, over 500 times as much: if that is meant, raise --max-archive-ratio"
    with loop(tmp_path, "ext4", 1800) as point:
        daemon = small(point)
        try:
            daemon.import_busybox()
            container = daemon.api("POST", "/containers/create", {"Image": "busybox"})["Id"]
            daemon.api("POST", f"/containers/{container}/start")
            before = fill(point)
            for method, route, status in (
                ("POST", "/images/load", 200),
                ("POST", "/images/create?fromSrc=-&repo=x", 400),
                ("POST", "/build?t=x", 400),
                ("PUT", f"/containers/{container}/archive?path=/", 400),
            ):
                answer = daemon.api.raw(method, route, data, TAR, timeout=120)
                assert (answer[0], words in answer[2]) == (status, True), (route, answer[0], answer[2][:300])
                until(lambda: fill(point) < before + 1)
            assert daemon.process is not None
            peak = next(line for line in Path(f"/proc/{daemon.process.pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
            assert int(peak.split()[1]) < 300 << 10, peak
            assert [image["RepoTags"] for image in daemon.api("GET", "/images/json")] == [["busybox:latest"]]
        finally:
            daemon.destroy()


@pytest.mark.parametrize("packer", ["gzip", "bzip2", "xz", "zstd"])
def test_what_is_copied_into_a_container_may_be_compressed(leak_check: object, argosyd: Daemon, packer: str) -> None:
    container = argosyd.api("POST", "/containers/create", {"Image": "busybox"})["Id"]
    packed = subprocess.run([packer, "-c"], input=tar(f=b"content"), capture_output=True, check=True).stdout
    assert argosyd.api.raw("PUT", f"/containers/{container}/archive?path=/tmp", packed, TAR)[0] == 200
    with tarfile.open(fileobj=io.BytesIO(argosyd.api.raw("GET", f"/containers/{container}/archive?path=/tmp/f")[2])) as archive:
        member = archive.extractfile("f")
        assert member is not None
        assert member.read() == b"content"
