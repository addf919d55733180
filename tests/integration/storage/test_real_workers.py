"""The same contract with the workers that the daemon uses: forks of a launcher, pivoted into what they work on."""

import secrets

import pytest

from argosy.runtime.client.workers import LauncherWorkers
from argosy.storage.drivers.overlay2 import Overlay2
from argosy.storage.drivers.vfs import Vfs
from suites.snapshots import SnapshotContract

pytestmark = pytest.mark.root


@pytest.fixture
async def workers(tmp_path):
    workers = LauncherWorkers(exec_root=str(tmp_path / "run"), daemon_id=secrets.token_hex(6))
    yield workers
    await workers.close()


class TestOverlay2(SnapshotContract):
    def make_driver(self, home, workers):
        return Overlay2(home)


class TestVfs(SnapshotContract):
    def make_driver(self, home, workers):
        return Vfs(workers)
