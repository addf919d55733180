import io
import os
import tarfile

import pytest

from argosy.base.errors import InvalidParameterError
from argosy.base.tasks import Supervisor
from argosy.storage.drivers.overlay2 import Overlay2
from argosy.storage.drivers.vfs import Vfs
from argosy.storage.layers import Layers
from argosy.storage.mapped import MappedWorkers
from argosy.storage.snapshots import Snapshots
from suites.fork_workers import ForkWorkers
from suites.snapshots import Opened, SnapshotContract, tar

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


class TestMappedIds:
    """A daemon with ``--userns-remap``: the disk has the host's ids, archives the container's."""

    MAP = ((0, 100_000, 65_536),)

    @pytest.fixture(params=["overlay2", "vfs"])
    async def layers(self, request, tmp_path, workers):
        home = tmp_path / "home"
        home.mkdir()
        mapped = MappedWorkers(workers, uids=self.MAP, gids=self.MAP)
        owner = (100_000, 100_000)
        driver = Overlay2(home, owner=owner) if request.param == "overlay2" else Vfs(mapped, owner=owner)
        supervisor = Supervisor()
        layers = Layers(home, driver, workers=mapped, supervisor=supervisor)
        layers.open()
        yield layers
        for task in list(supervisor._tasks):
            await task

    async def test_ids_go_both_ways(self, layers):
        snapshots = Snapshots(layers)
        contract = SnapshotContract()
        data = tar(("d", "dir"), ("d/f", b"1", {"uid": 1000, "gid": 7}), ("no/parent", b"2"))
        layer = await contract.add(layers, None, data)
        assert await contract.content(layers, layer.chain_id) == data
        with Opened(await snapshots.prepare("c", layer.chain_id)) as root:
            assert (root.stat("d/f").st_uid, root.stat("d/f").st_gid) == (101_000, 100_007)
            for name in (".", "d", "no", "dev", ".dockerenv", "etc/mtab"):
                assert (root.stat(name).st_uid, root.stat(name).st_gid) == (100_000, 100_000), name
            root.write("new", b"3")
            os.chown("new", 100_033, 100_000, dir_fd=root.fd)
            root.write("outside", b"4")
            root.remove("d/f")
        committed = await contract.commit(layers, snapshots, "c")
        with tarfile.open(fileobj=io.BytesIO(await contract.content(layers, committed.chain_id))) as archive:
            owners = {member.name: (member.uid, member.gid) for member in archive}
        assert owners == {"d": (0, 0), "d/.wh.f": (0, 0), "new": (33, 0), "outside": (65534, 65534)}

    async def test_ids_that_the_namespace_lacks_are_refused(self, layers):
        with pytest.raises(InvalidParameterError, match="Container ID 70000 cannot be mapped to a host ID"):
            await SnapshotContract().add(layers, None, tar(("f", b"1", {"uid": 70_000})))
