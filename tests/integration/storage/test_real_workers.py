"""The same contract with the workers that the daemon uses: forks of a launcher, pivoted into what they work on."""

import secrets

import pytest

from argosy.runtime.client.workers import LauncherWorkers
from argosy.storage.drivers.btrfs import Btrfs
from argosy.storage.drivers.fuse_overlayfs import FuseOverlayfs
from argosy.storage.drivers.overlay2 import Overlay2
from argosy.storage.drivers.probe import fuse_program, probe_fuse_overlay
from argosy.storage.drivers.vfs import Vfs
from suites.snapshots import SnapshotContract
from support.loop import loop

pytestmark = pytest.mark.root


@pytest.fixture
async def workers(tmp_path):
    workers = LauncherWorkers(exec_root=str(tmp_path / "run"), daemon_id=secrets.token_hex(6))
    yield workers
    await workers.close()


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
