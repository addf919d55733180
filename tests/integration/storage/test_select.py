import os

import pytest

from argosy.base.errors import InvalidParameterError, SystemFailureError
from argosy.storage.drivers import select
from argosy.storage.drivers.port import describe
from argosy.storage.drivers.probe import backing_filesystem, probe_overlay
from argosy.storage.drivers.select import refuse_foreign, select_driver
from support.loop import loop

pytestmark = pytest.mark.root


def test_the_first_that_works_is_taken_and_says_why(tmp_path):
    driver = select_driver(None, tmp_path, workers=None)
    assert driver.name == "overlay2" if probe_overlay(tmp_path) == "" else "fuse-overlayfs"
    assert describe(driver)[-1] == ("Chosen", driver.reason)
    assert driver.reason.startswith("first of overlay2, fuse-overlayfs, btrfs, vfs that works")
    assert os.listdir(tmp_path) == []


def test_why_others_were_passed_over_is_told(tmp_path, monkeypatch):
    for name in ("overlay2", "fuse-overlayfs"):
        monkeypatch.setitem(select._PROBES, name, lambda data_root, name=name: f"no {name} today")
    driver = select_driver(None, tmp_path, workers=None)
    assert driver.name == "vfs"
    assert "; overlay2 does not: no overlay2 today; fuse-overlayfs does not: no fuse-overlayfs today; btrfs does not: " in driver.reason


def test_a_driver_is_taken_by_name(tmp_path):
    assert select_driver("vfs", tmp_path, workers=None).name == "vfs"
    overlay = select_driver("overlay2", tmp_path, workers=None)
    assert dict(overlay.status())["Backing Filesystem"] == backing_filesystem(tmp_path)


def test_btrfs_is_taken_on_btrfs_only_when_asked_for_or_used_before(tmp_path):
    with loop(tmp_path, "btrfs", 128) as point:
        assert backing_filesystem(point) == "btrfs"
        assert select_driver("btrfs", point, workers=None).name == "btrfs"
        assert select_driver(None, point, workers=None).name == "overlay2"
        assert os.listdir(point) == []
        (point / "btrfs" / "layers" / "x").mkdir(parents=True)
        driver = select_driver(None, point, workers=None)
        assert (driver.name, driver.reason) == ("btrfs", "it has data here")


def test_the_driver_whose_data_are_there_is_not_replaced_by_another(tmp_path):
    (tmp_path / "vfs" / "snapshots" / "x").mkdir(parents=True)
    assert select_driver(None, tmp_path, workers=None).name == "vfs"
    (tmp_path / "overlay2" / "layers" / "x").mkdir(parents=True)
    assert select_driver(None, tmp_path, workers=None).name == "overlay2"
    (tmp_path / "btrfs" / "layers" / "x").mkdir(parents=True)
    with pytest.raises(SystemFailureError, match="several storage drivers have data here: overlay2, btrfs"):
        select_driver(None, tmp_path, workers=None)
    (tmp_path / "overlay2" / "layers" / "x").rmdir()
    with pytest.raises(SystemFailureError, match=r"made by the storage driver btrfs, which does not work now: .* not on btrfs"):
        select_driver(None, tmp_path, workers=None)


def test_fuse_overlayfs_without_the_program_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InvalidParameterError, match="apt install fuse-overlayfs"):
        select_driver("fuse-overlayfs", tmp_path, workers=None)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("aufs", "aufs was removed"),
        ("devicemapper", "devicemapper was removed"),
        ("btrfs", "not on btrfs"),
        ("zfs", "use overlay2"),
        ("nonsense", "unknown storage driver"),
    ],
)
def test_others_are_refused_with_a_replacement(tmp_path, name, words):
    with pytest.raises(InvalidParameterError, match=words):
        select_driver(name, tmp_path, workers=None)


@pytest.mark.parametrize(
    "mark", ["engine-id", "image/overlay2/repositories.json", "overlay2/0123/link", "image/vfs/layerdb", "containerd/daemon"]
)
def test_a_data_root_of_dockers_is_refused_untouched(tmp_path, mark):
    path = tmp_path / mark
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("docker's")
    before = sorted(str(found) for found in tmp_path.rglob("*"))
    with pytest.raises(SystemFailureError, match="belongs to Docker"):
        refuse_foreign(tmp_path)
    assert sorted(str(found) for found in tmp_path.rglob("*")) == before


def test_a_data_root_of_ours_or_an_empty_one_is_fine(tmp_path):
    refuse_foreign(tmp_path)
    (tmp_path / "overlay2" / "layers").mkdir(parents=True)
    (tmp_path / "state.db").touch()
    refuse_foreign(tmp_path)
    refuse_foreign(tmp_path / "absent")
