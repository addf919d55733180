import os
import subprocess

import pytest

from argosy.base.clock import ManualClock
from argosy.base.errors import ConflictError, InvalidParameterError, NotFoundError, SystemFailureError
from argosy.base.events import EventBus
from argosy.base.tasks import Supervisor
from argosy.storage import volume_mount
from argosy.storage.database import Database
from argosy.storage.trash import Trash
from argosy.storage.volumes import Volumes
from suites.fork_workers import ForkWorkers

pytestmark = pytest.mark.root


class Host:
    def __init__(self, root):
        self.root = root
        self.events = EventBus(ManualClock())
        self.supervisor = Supervisor()

    def open(self):
        workers = ForkWorkers()
        self.db = Database(self.root / "state.db")
        self.db.open()
        trash = Trash(self.root / "trash", workers=workers, supervisor=self.supervisor, pause=0)
        self.volumes = Volumes(self.root / "volumes", db=self.db, workers=workers, trash=trash, events=self.events, clock=ManualClock())
        self.volumes.open()
        return self.volumes

    async def settle(self):
        for task in list(self.supervisor._tasks):
            await task


@pytest.fixture
async def host(tmp_path):
    host = Host(tmp_path)
    host.open()
    yield host
    for name in [volume.name for volume in host.volumes.list_()]:
        volume_mount.unmount(tmp_path / "volumes" / name / "_data")
    await host.settle()
    host.db.close()


async def test_a_volume_is_there_until_it_is_removed(host):
    view = await host.volumes.create("data", "local", {}, {"k": "v"})
    assert view == host.volumes.get("data")
    assert (view.name, view.driver, view.labels, view.anonymous) == ("data", "local", {"k": "v"}, False)
    assert view.mountpoint == str(host.root / "volumes" / "data" / "_data")
    assert await host.volumes.create("data", "", {}, {"other": "labels"}) == view
    path = await host.volumes.mount("data", "c1")
    with open(os.path.join(path, "file"), "w") as file:
        file.write("12345")
    assert await host.volumes.size("data") == 5
    with pytest.raises(ConflictError, match="remove data: volume has active mounts"):
        await host.volumes.remove("data", False)
    await host.volumes.unmount("data", "c1")
    await host.volumes.unmount("data", "never")
    host.db.close()
    assert host.open().get("data") == view
    await host.volumes.remove("data", False)
    assert host.volumes.list_() == []
    assert os.listdir(host.root / "volumes") == []
    with pytest.raises(NotFoundError, match="get data: no such volume"):
        await host.volumes.remove("data", False)
    await host.volumes.remove("data", True)
    assert [event.action for event in host.events.history()] == ["create", "destroy"]


async def test_anonymous_volumes_get_an_id(host):
    view = await host.volumes.create("", "local", {}, {})
    assert len(view.name) == 64
    assert view.anonymous


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        (
            "a b",
            {},
            'create a b: "a b" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. '
            "If you intended to pass a host directory, use absolute path",
        ),
        ("../x", {}, "includes invalid characters"),
        ("-x", {}, "includes invalid characters"),
        ("x" * 256, {}, "includes invalid characters"),
        ("a", {}, "create a: volume name is too short, names should be at least two alphanumeric characters"),
        ("v1", {"foo": "x"}, 'create v1: invalid option: "foo"'),
        ("v1", {"type": "tmpfs"}, 'create v1: missing required option: "device"'),
        ("v1", {"device": "tmpfs"}, 'create v1: missing required option: "type"'),
        ("v1", {"size": "10m"}, "create v1: quota size requested but no quota support"),
    ],
)
async def test_what_cannot_be_is_refused_in_dockers_words(host, name, options, words):
    with pytest.raises(InvalidParameterError) as caught:
        await host.volumes.create(name, "local", options, {})
    assert words in str(caught.value)
    assert host.volumes.list_() == []
    assert os.listdir(host.root / "volumes") == []


async def test_other_drivers_are_not_found(host):
    with pytest.raises(NotFoundError) as caught:
        await host.volumes.create("v1", "nodriver", {}, {})
    assert str(caught.value).endswith('error looking up volume plugin nodriver: plugin "nodriver" not found')


async def test_a_tmpfs_volume_is_mounted_while_it_is_used(host):
    options = {"type": "tmpfs", "device": "tmpfs", "o": "size=1m,uid=1000,nosuid"}
    await host.volumes.create("t1", "local", options, {})
    data = host.root / "volumes" / "t1" / "_data"
    assert not volume_mount.mounted(data)
    for user in ("c1", "c2"):
        assert await host.volumes.mount("t1", user) == str(data)
    assert volume_mount.mounted(data)
    assert data.stat().st_uid == 1000
    line = next(line for line in open("/proc/self/mountinfo") if f" {data} " in line)
    assert "nosuid" in line
    assert "shared:" not in line
    assert await host.volumes.size("t1") == -1
    await host.volumes.unmount("t1", "c1")
    assert volume_mount.mounted(data)
    await host.volumes.unmount("t1", "c2")
    assert not volume_mount.mounted(data)


async def test_a_bind_volume_shows_another_directory(host, tmp_path):
    source = tmp_path / "source dir"
    source.mkdir()
    (source / "f").write_text("there")
    await host.volumes.create("b1", "local", {"type": "none", "device": str(source), "o": "bind,ro"}, {})
    path = await host.volumes.mount("b1", "c1")
    assert os.listdir(path) == ["f"]
    with pytest.raises(OSError, match="Read-only"):
        open(os.path.join(path, "g"), "w")
    await host.volumes.unmount("b1", "c1")
    await host.volumes.remove("b1", False)
    await host.settle()
    assert (source / "f").read_text() == "there"


async def test_what_cannot_be_mounted_says_why_and_leaves_nothing(host):
    await host.volumes.create("b1", "local", {"type": "none", "device": "/nonexistent", "o": "bind"}, {})
    with pytest.raises(SystemFailureError) as caught:
        await host.volumes.mount("b1", "c1")
    assert str(caught.value) == (
        f"error while mounting volume '{host.root}/volumes/b1/_data': failed to mount local volume: "
        f"mount /nonexistent:{host.root}/volumes/b1/_data, flags: 0x1000: no such file or directory"
    )
    await host.volumes.remove("b1", False)


async def test_a_mount_that_outlived_its_daemon_is_used_or_undone(host):
    await host.volumes.create("t1", "local", {"type": "tmpfs", "device": "tmpfs"}, {})
    path = await host.volumes.mount("t1", "c1")
    with open(os.path.join(path, "kept"), "w"):
        pass
    host.db.close()
    host.open()
    assert await host.volumes.mount("t1", "c1") == path
    assert os.listdir(path) == ["kept"]
    await host.volumes.unmount("t1", "c1")
    await host.volumes.remove("t1", False)
    assert "/volumes/t1/" not in subprocess.run(["cat", "/proc/self/mountinfo"], capture_output=True, text=True).stdout


async def test_a_directory_without_record_is_swept(host):
    (host.root / "volumes" / "half" / "_data").mkdir(parents=True)
    host.db.close()
    host.open()
    assert os.listdir(host.root / "volumes") == []


async def test_a_directory_that_a_power_cut_took_is_made_again(host):
    await host.volumes.create("data", "", {}, {})
    (host.root / "volumes" / "data" / "_data").rmdir()
    host.db.close()
    again = host.open()
    assert os.listdir(again.get("data").mountpoint) == []
