import fcntl
import os
import struct
import subprocess

import pytest

from argosy.linux import btrfs
from argosy.storage.drivers.btrfs import Btrfs
from argosy.storage.drivers.fuse_overlayfs import FuseOverlayfs
from argosy.storage.drivers.overlay2 import Overlay2
from argosy.storage.drivers.probe import fuse_program, probe_fuse_overlay
from argosy.storage.drivers.vfs import Vfs
from suites.fork_workers import ForkWorkers
from suites.snapshots import Opened, SnapshotContract, tar
from support.loop import loop

pytestmark = pytest.mark.root


@pytest.fixture
def workers():
    return ForkWorkers()


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    with loop(tmp_path_factory.mktemp("btrfs"), "btrfs", 512) as point:
        yield point


class TestOverlay2(SnapshotContract):
    def make_driver(self, home, workers):
        return Overlay2(home)


class TestVfs(SnapshotContract):
    def make_driver(self, home, workers):
        return Vfs(workers)


class TestFuseOverlayfs(SnapshotContract):
    def make_driver(self, home, workers):
        if refused := probe_fuse_overlay(home):
            pytest.skip(refused)
        return FuseOverlayfs(home, program=fuse_program())


class TestBtrfs(SnapshotContract):
    @pytest.fixture
    def home(self, pool, tmp_path):
        return pool / tmp_path.name

    def make_driver(self, home, workers):
        return Btrfs()

    async def test_subvolumes_that_a_program_made_go_with_the_snapshot(self, layers, snapshots):
        one = await self.add(layers, None, tar(("a", b"1")))
        with Opened(await snapshots.prepare("c", one.chain_id)) as root:
            btrfs.create(root.fd, b"outer")
            outer = os.open("outer", os.O_RDONLY | os.O_DIRECTORY, dir_fd=root.fd)
            btrfs.create(outer, b"inner")
            root.write("outer/inner/file", b"2")
            # BTRFS_IOC_SUBVOL_SETFLAGS with BTRFS_SUBVOL_RDONLY: what `btrfs property set outer ro true` does.
            fcntl.ioctl(outer, 0x4008941A, struct.pack("=Q", 2))
            os.close(outer)
        assert [path for path, _ in await snapshots.changes("c")] == ["/outer", "/outer/inner", "/outer/inner/file"]
        layer = await self.commit(layers, snapshots, "c")
        with Opened(await snapshots.prepare("again", layer.chain_id)) as root:
            assert root.read("outer/inner/file") == b"2"
        await snapshots.remove("c")
        await self.settled()
        assert not list((layers.home / "trash").iterdir())

    async def test_a_removed_tree_leaves_no_subvolume(self, layers, snapshots):
        before = subvolumes(layers.home)
        one = await self.add(layers, None, tar(("a", b"1")))
        await snapshots.prepare("c", one.chain_id)
        assert len(subvolumes(layers.home) - before) == 3
        await snapshots.remove("c")
        layers.collect([])
        await self.settled()
        # The mount points' tree of the layer goes with it.
        assert subvolumes(layers.home) == before

    async def test_subvolumes_that_a_crash_left_are_deleted_at_the_next_start(self, layers):
        before = subvolumes(layers.home)
        one = await self.add(layers, None, tar(("a", b"1")))
        aside = layers.aside()
        await layers.driver.seed(aside, [layers.tree(one.chain_id)])
        half = layers.home / "trash" / "half"
        half.mkdir()
        await layers.driver.seed(half, [])
        again, _ = self.reopened(layers)
        await self.settled()
        assert len(subvolumes(layers.home) - before) == 1
        again.collect([])
        await self.settled()
        assert subvolumes(layers.home) == before

    async def test_a_change_that_puts_size_and_time_back_is_seen(self, layers, snapshots):
        one = await self.add(layers, None, tar(("a", b"one"), ("b", b"two")))
        with Opened(await snapshots.prepare("c", one.chain_id)) as root:
            was = root.stat("a")
            root.write("a", b"eno")
            os.utime("a", ns=(was.st_atime_ns, was.st_mtime_ns), dir_fd=root.fd)
        assert await snapshots.changes("c") == [("/a", 0)]


def subvolumes(path):
    done = subprocess.run(["btrfs", "subvolume", "list", str(path)], check=True, capture_output=True, text=True)
    return {line.split()[-1] for line in done.stdout.splitlines()}
