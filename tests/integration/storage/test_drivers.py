import pytest

from argosy.storage.drivers.overlay2 import Overlay2
from argosy.storage.drivers.vfs import Vfs
from suites.fork_workers import ForkWorkers
from suites.snapshots import SnapshotContract

pytestmark = pytest.mark.root


@pytest.fixture
def workers():
    return ForkWorkers()


class TestOverlay2(SnapshotContract):
    def make_driver(self, home, workers):
        return Overlay2(home)


class TestVfs(SnapshotContract):
    def make_driver(self, home, workers):
        return Vfs(workers)
