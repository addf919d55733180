"""Which trees get a label, and that a tree is not left by a link."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from argosy.base.errors import SystemFailureError
from argosy.engine import relabel
from argosy.engine.model import MountPoint
from argosy.engine.selinux import policy
from argosy.linux import selinux

MINE = "system_u:object_r:container_file_t:s0:c1,c2"
SHARED = "system_u:object_r:container_file_t:s0"


@pytest.fixture
def labelled(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What would be labelled: real path → label."""
    found: dict[str, str] = {}

    def note(path: str, name: str, value: bytes, *, follow_symlinks: bool) -> None:
        assert name == "security.selinux" and not follow_symlinks
        where, _, last = path.rpartition("/")
        found[os.path.join(os.path.realpath(where), last)] = value.decode()

    monkeypatch.setattr(os, "setxattr", note)
    return found


async def test_z_is_shared_and_capital_z_private_and_nothing_else_is_touched(tmp_path: Path, labelled: dict[str, str]) -> None:
    for name in ("a", "b", "c", "d", "e"):
        (tmp_path / name).mkdir()
    points = [
        MountPoint(type="bind", destination="/a", source=str(tmp_path / "a"), mode="z"),
        MountPoint(type="bind", destination="/b", source=str(tmp_path / "b"), mode="ro,Z"),
        MountPoint(type="bind", destination="/c", source=str(tmp_path / "c")),
        MountPoint(type="volume", destination="/d", source=str(tmp_path / "d"), mode="ro"),
        MountPoint(type="volume", destination="/e", source=str(tmp_path / "e")),
        MountPoint(type="tmpfs", destination="/f", mode="z"),
    ]
    await relabel.relabel_mounts(points, MINE)
    assert labelled == {str(tmp_path / "a"): SHARED, str(tmp_path / "b"): MINE, str(tmp_path / "e"): SHARED}
    labelled.clear()
    await relabel.relabel_mounts(points, "")
    assert labelled == {}


async def test_a_tree_is_labelled_whole_and_its_links_are_not_followed(tmp_path: Path, labelled: dict[str, str]) -> None:
    tree = tmp_path / "tree"
    (tree / "deep/deeper").mkdir(parents=True)
    (tree / "deep/file").touch()
    (tree / "out").symlink_to("/etc")
    (tree / "up").symlink_to("..")
    await relabel.relabel_own([str(tree)], MINE, shared=False)
    names = ("", "/deep", "/deep/deeper", "/deep/file", "/out", "/up")
    assert labelled == {f"{tree}{name}": MINE for name in names}


@pytest.mark.parametrize("path", ["/", "/usr", "/usr/", "/etc", "/home", "/var/lib", "/root"])
async def test_the_machines_own_directories_are_refused_in_dockers_words(path: str, labelled: dict[str, str]) -> None:
    point = MountPoint(type="bind", destination="/x", source=path, mode="z")
    with pytest.raises(SystemFailureError) as caught:
        await relabel.relabel_mounts([point], MINE)
    shown = os.path.realpath(path)
    assert str(caught.value) == f"error setting label on mount source '{path}': SELinux relabeling of {shown} is not allowed"
    assert not labelled


async def test_a_link_to_them_and_the_daemons_home_are_refused(
    tmp_path: Path, labelled: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to("/usr")
    monkeypatch.setenv("HOME", str(tmp_path))
    for path in (tmp_path / "link", tmp_path):
        with pytest.raises(SystemFailureError, match="is not allowed"):
            await relabel.relabel_mounts([MountPoint(type="bind", destination="/x", source=str(path), mode="Z")], MINE)
    assert not labelled and not relabel.refused("/usr/share/thing")


@pytest.mark.parametrize("code", [errno.EOPNOTSUPP, errno.ENOENT])
def test_what_goes_away_or_knows_no_labels_is_fine(code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "setxattr", failing(code))
    selinux.label_tree(str(tmp_path), MINE)


async def test_a_label_that_the_policy_does_not_know_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "setxattr", failing(errno.EINVAL))
    with pytest.raises(SystemFailureError, match="the policy knows no such label"):
        await relabel.relabel_own([str(tmp_path)], "u:r:none_t:s0", shared=False)


def test_layers_are_labelled_once(tmp_path: Path, labelled: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    found = policy(f'process = "u:r:container_t:s0"\nfile = "{SHARED}"\nro_file = "u:r:ro_t:s0"')
    assert found
    now = {"label": "u:r:var_lib_t:s0"}
    monkeypatch.setattr(os, "getxattr", lambda path, name, *, follow_symlinks: now["label"].encode() + b"\0")
    (tmp_path / "layers").mkdir()
    relabel.label_layers(str(tmp_path), found)
    # The directory itself last: a walk that was cut off is begun again.
    assert list(labelled.items()) == [(str(tmp_path / "layers"), "u:r:ro_t:s0"), (str(tmp_path), "u:r:ro_t:s0")]
    labelled.clear()
    now["label"] = "u:r:ro_t:s0"
    relabel.label_layers(str(tmp_path), found)
    assert not labelled


def test_a_policy_that_does_not_know_the_layers_label_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(os, "setxattr", failing(errno.EINVAL))
    found = policy(f'process = "u:r:container_t:s0"\nfile = "{SHARED}"')
    assert found
    relabel.label_layers(str(tmp_path), found)
    assert "could not be labelled" in caplog.text


def failing(code: int) -> Any:
    def fail(path: str, *_: Any, **__: Any) -> None:
        raise OSError(code, os.strerror(code), path)

    return fail


def test_a_kernel_without_a_policy_has_no_selinux(tmp_path: Path) -> None:
    current, enforce = tmp_path / "proc/self/attr/current", tmp_path / "sys/fs/selinux/enforce"
    assert not selinux.enabled(str(tmp_path))
    for path, text in ((current, "kernel\0"), (enforce, "0")):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    assert not selinux.enabled(str(tmp_path))
    current.write_text("system_u:system_r:kernel_t:s0\0")
    assert selinux.enabled(str(tmp_path))
    enforce.unlink()
    assert not selinux.enabled(str(tmp_path))
