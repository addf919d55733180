"""Owners, modes, attributes, capabilities, links, times, deletions: load, commit, save, load elsewhere, on every storage driver."""

import os
import stat
import struct
from contextlib import nullcontext

import pytest

from argosy.images.model import CommitRequest
from argosy.oci.config import Config
from argosy.storage.drivers.btrfs import Btrfs
from argosy.storage.drivers.fuse_overlayfs import FuseOverlayfs
from argosy.storage.drivers.overlay2 import Overlay2
from argosy.storage.drivers.probe import fuse_program, probe_fuse_overlay
from argosy.storage.drivers.vfs import Vfs
from integration.images.test_store import docker_archive
from suites.image_host import Host
from suites.snapshots import MOUNTPOINTS, Opened, tar
from support.loop import loop

pytestmark = pytest.mark.root

CAPABILITY = struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0)
LOWER = tar(
    ("bin", "dir", {"mode": 0o755}),
    (
        "bin/ping",
        b"ping",
        {"mode": 0o4755, "pax_headers": {"SCHILY.xattr.security.capability": CAPABILITY.decode("utf-8", "surrogateescape")}},
    ),
    ("data", "dir", {"mode": 0o2770, "uid": 33, "gid": 50}),
    ("data/owned", b"x" * 5000, {"uid": 1000, "gid": 1001, "mode": 0o600, "pax_headers": {"mtime": "1700000000.123456789"}}),
    ("data/twin", "=data/owned"),
    ("data/noted", b"n", {"pax_headers": {"SCHILY.xattr.user.note": "hello"}}),
    ("data/link", "->owned", {"uid": 7}),
    ("tmp", "dir", {"mode": 0o1777}),
    ("null", (1, 3), {"mode": 0o666}),
    ("old", "dir"),
    ("old/a", b"1"),
    ("old/b", b"2"),
    ("gone", b"1"),
    ("replaced", "dir"),
    ("replaced/x", b"1"),
)
UPPER = tar((".wh.gone", b""), ("old", "dir"), ("old/.wh..wh..opq", b""), ("old/c", b"3"), (os.fsdecode(b"caf\xe9"), b"latin"))


def seen(root, name=".", found=None):
    """Return everything that a container sees of its files, times to the second, as the tar of a commit has them."""
    found = {} if found is None else found
    for item in root.names(name):
        if name == "." and item in MOUNTPOINTS:
            continue
        path = item if name == "." else f"{name}/{item}"
        status = root.stat(path)
        kept = [stat.filemode(status.st_mode), status.st_uid, status.st_gid, status.st_rdev, int(status.st_mtime)]
        if stat.S_ISLNK(status.st_mode):
            kept.append(os.readlink(path, dir_fd=root.fd))
        elif stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
            fd = os.open(path, os.O_RDONLY, dir_fd=root.fd)
            kept.append(
                {key: os.getxattr(fd, key) for key in os.listxattr(fd) if not key.startswith(("trusted.overlay", "user.fuseoverlayfs"))}
            )
            if stat.S_ISREG(status.st_mode):
                kept += [status.st_nlink, os.read(fd, 10_000)]
            os.close(fd)
        found[path] = kept
        if stat.S_ISDIR(status.st_mode):
            seen(root, path, found)
    return found


def change(root):
    """What a program in a container may do to its files."""
    root.remove("data/noted")
    root.remove("replaced/x")
    os.rmdir("replaced", dir_fd=root.fd)
    os.mkdir("replaced", 0o711, dir_fd=root.fd)
    root.write("replaced/y", b"2")
    root.write("tool", b"#!", 0o755)
    fd = os.open("tool", os.O_RDONLY, dir_fd=root.fd)
    os.chown(fd, 1234, 5678)
    os.setxattr(fd, "security.capability", CAPABILITY)
    os.setxattr(fd, "user.made", b"here")
    os.close(fd)
    os.link("tool", "tool-again", src_dir_fd=root.fd, dst_dir_fd=root.fd)
    os.mkfifo("pipe", 0o640, dir_fd=root.fd)
    os.symlink("nowhere", "dangling", dir_fd=root.fd)
    # Not one of two linked names: on overlayfs a change parts them (Documentation/filesystems/overlayfs.rst, "index").
    os.utime("bin/ping", (1_600_000_000, 1_600_000_000), dir_fd=root.fd)
    os.chown("old", 9, 9, dir_fd=root.fd)


DRIVERS = {
    "overlay2": lambda home, workers: Overlay2(home),
    "vfs": lambda home, workers: Vfs(workers),
    "btrfs": lambda home, workers: Btrfs(),
    "fuse-overlayfs": lambda home, workers: FuseOverlayfs(home, program=fuse_program()),
}


@pytest.mark.parametrize("driver", DRIVERS)
async def test_nothing_is_lost_on_the_way(tmp_path, driver):
    if driver == "fuse-overlayfs" and (refused := probe_fuse_overlay(tmp_path)):
        pytest.skip(refused)
    with loop(tmp_path / "pool", "btrfs", 256) if driver == "btrfs" else nullcontext(tmp_path) as folder:
        (folder / "here").mkdir()
        here = await Host(folder / "here", DRIVERS[driver]).start()
        try:
            await here.load(docker_archive(LOWER, UPPER)[0])
            image = await here.images.resolve("old:1")
            with Opened(await here.snapshots.prepare("box", image.chain_id)) as root:
                loaded = seen(root)
                assert loaded["bin/ping"][0] == "-rwsr-xr-x"
                assert loaded["bin/ping"][5] == {"security.capability": CAPABILITY}
                assert root.stat("data/owned").st_mtime_ns == 1_700_000_000_123_456_789
                assert [name for name in loaded if name.startswith(("old", "gone"))] == ["old", "old/c"]
                change(root)
                wanted = seen(root)
            await here.images.commit(CommitRequest("box", image.id, "box", Config(), "made"))
            archive = await here.save("made")
            diffs = (await here.images.inspect("made")).diff_ids
        finally:
            await here.stop()
    # Another data root; the other form of trees too.
    (tmp_path / "there").mkdir()
    there = await Host(tmp_path / "there", DRIVERS["vfs" if driver == "overlay2" else "overlay2"]).start()
    try:
        await there.load(archive)
        assert (await there.images.inspect("made")).diff_ids == diffs
        assert len(diffs) == 3
        with Opened(await there.snapshots.prepare("box", (await there.images.resolve("made")).chain_id)) as root:
            assert seen(root) == wanted
        assert await there.save("made") == archive
    finally:
        await there.stop()
