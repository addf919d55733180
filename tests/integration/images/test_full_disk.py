"""A file system of 200 MB that runs full in the middle of things: an error that names it, nothing half-made, and all goes on afterwards."""

import os
import subprocess

import pytest

from argosy.images.model import CommitRequest
from argosy.oci.config import Config
from argosy.storage.space import NoSpaceError
from suites.image_host import Host
from suites.snapshots import Opened, tar
from support.loop import loop

pytestmark = pytest.mark.root

MB = 1 << 20


@pytest.fixture
async def host(tmp_path):
    with loop(tmp_path, "ext4", 200) as point:
        root = point / "host"
        root.mkdir()
        host = await Host(root).start()
        try:
            yield host
        finally:
            await host.stop()


def noise(name, megabytes):
    return tar((name, os.urandom(megabytes * MB)))


def fill(host, *, leave):
    """Take all space but ``leave`` bytes by a file beside the store."""
    found = os.statvfs(host.root)
    path = host.root.parent / "ballast"
    size = found.f_bavail * found.f_frsize - (leave or MB)
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, size)
        try:
            while not leave:
                os.posix_fallocate(file.fileno(), size, 4096)
                size += 4096
        except OSError:
            pass  # not a block more
    return path


async def whole(host, names):
    """Everything that is left is sound: a new daemon finds the same and sweeps nothing but asides."""
    layers, blobs, *halves = host.left()
    assert halves == [[], [], []]
    await host.restart()
    assert host.left()[:2] == (layers, blobs)
    found = await host.images.list_(all=True, filters={})
    assert {name for image in found for name in image.repo_tags} == names
    for image in found:
        await host.save(image.id)


@pytest.mark.parametrize("leave", [0, 64 << 10, 5 * MB, 12 * MB])
@pytest.mark.parametrize("act", ["load", "import", "commit", "create"])
async def test_running_full_leaves_nothing_half_made(host, act, leave):
    await host.import_(noise("base", 2), "base")
    base = await host.images.resolve("base")
    with Opened(await host.snapshots.prepare("box", base.chain_id)) as root:
        root.write("new", os.urandom(20 * MB))
    archive = b""
    if act == "load":
        await host.import_(noise("other", 20), "other")
        archive = await host.save("other")
        await host.images.remove("other", force=True, prune=True)
        await host.settled()

    async def work(suffix=""):
        if act == "load":
            await host.load(archive)
        elif act == "import":
            await host.import_(noise("imported", 20), "imported")
        elif act == "commit":
            await host.images.commit(CommitRequest("box", base.id, "box", Config(), "committed"))
        else:
            # As many as the disk takes: a snapshot is small.
            for number in range(10_000):
                await host.snapshots.prepare(f"many{number}", base.chain_id)

    ballast = fill(host, leave=leave)
    if act == "create" and leave > 64 << 10:
        pytest.skip("a snapshot is small")
    try:
        with pytest.raises(NoSpaceError, match=rf"no space left on device: the file system {host.root.parent} \(.*\) is full"):
            await work()
    finally:
        ballast.unlink()
    for key in list(host.snapshots.keys()):
        if key.startswith("many"):
            await host.snapshots.remove(key)
    await host.settled()
    await whole(host, {"base:latest"})
    if act != "create":
        await work()
        await whole(host, {"base:latest", {"load": "other", "import": "imported", "commit": "committed"}[act] + ":latest"})


async def test_pruning_works_on_a_full_disk_and_gives_the_space_back(host):
    for name in ("one", "two", "three"):
        await host.import_(noise(name, 20), name)
    ballast = fill(host, leave=0)
    _, freed = await host.images.prune({"dangling": ["false"]})
    await host.settled()
    assert freed >= 60 * MB
    assert os.statvfs(host.root).f_bavail * os.statvfs(host.root).f_frsize >= 58 * MB
    ballast.unlink()
    await host.import_(noise("again", 50), "again")


async def test_the_disk_holds_what_is_reported_within_one_per_cent(host):
    for name in ("one", "two", "three"):
        await host.import_(noise(name, 20), name)
    await host.import_(tar(*((f"file{number}", os.urandom(40_960)) for number in range(100))), "many")
    await host.images.remove("two", force=True, prune=True)
    await host.images.prune({})
    await host.settled()
    done = subprocess.run(
        ["du", "-s", "--block-size=1", str(host.root / "overlay2" / "layers"), str(host.root / "content")],
        check=True,
        capture_output=True,
        text=True,
    )
    real = sum(int(line.split()[0]) for line in done.stdout.splitlines())
    assert host.images.disk_usage() == pytest.approx(real, rel=0.01)
