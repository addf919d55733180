import os

import pytest

from argosy.base.errors import InvalidParameterError, SystemFailureError
from argosy.storage.drivers.select import backing_filesystem, probe_overlay, refuse_foreign, select_driver

pytestmark = pytest.mark.root


def test_the_first_that_works_is_taken_and_says_why(tmp_path):
    driver = select_driver(None, tmp_path, workers=None)
    assert driver.name == "overlay2" if probe_overlay(tmp_path) == "" else "vfs"
    assert "overlay2" in driver.reason
    assert os.listdir(tmp_path) == []


def test_a_driver_is_taken_by_name(tmp_path):
    assert select_driver("vfs", tmp_path, workers=None).name == "vfs"
    overlay = select_driver("overlay2", tmp_path, workers=None)
    assert dict(overlay.status())["Backing Filesystem"] == backing_filesystem(tmp_path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("aufs", "aufs was removed"),
        ("devicemapper", "devicemapper was removed"),
        ("btrfs", "use overlay2"),
        ("fuse-overlayfs", "use overlay2 or vfs"),
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
