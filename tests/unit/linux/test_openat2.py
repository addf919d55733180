import os
from pathlib import Path

import pytest

from argosy.linux import openat2


def opened(root: Path) -> int:
    return openat2.open_root(os.fsencode(root))


def where(fd: int) -> str:
    path = os.readlink(f"/proc/self/fd/{fd}")
    os.close(fd)
    return path


def test_absolute_links_and_dots_stay_inside_the_root(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "link").symlink_to("/etc")
    (tmp_path / "up").symlink_to("../../../etc")
    root = opened(tmp_path)
    assert where(openat2.resolve(root, b"/link")) == str(tmp_path / "etc")
    assert where(openat2.resolve(root, b"up")) == str(tmp_path / "etc")
    assert where(openat2.resolve(root, b"/../../..")) == str(tmp_path)
    os.close(root)


def test_directories_are_made_behind_links_inside_the_root(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "a").symlink_to("/real")
    root = opened(tmp_path)
    assert where(openat2.make_directories(root, b"/a/b/c")) == str(tmp_path / "real/b/c")
    os.close(root)


def test_a_dangling_link_on_the_way_is_an_error_and_makes_nothing(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    inside = tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (inside / "a").symlink_to(outside / "new")
    root = opened(inside)
    with pytest.raises(OSError):
        openat2.make_directories(root, b"/a/b")
    os.close(root)
    assert list(outside.iterdir()) == []


def test_a_file_is_made_once_and_found_again(tmp_path: Path) -> None:
    root = opened(tmp_path)
    assert where(openat2.make_file(root, b"/etc/hosts")) == str(tmp_path / "etc/hosts")
    (tmp_path / "etc/hosts").write_text("kept")
    os.close(openat2.make_file(root, b"/etc/hosts"))
    os.close(root)
    assert (tmp_path / "etc/hosts").read_text() == "kept"


def test_reading_a_fifo_is_refused_instead_of_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "passwd")
    root = opened(tmp_path)
    with pytest.raises(OSError) as caught:
        openat2.read_file(root, b"passwd")
    os.close(root)
    assert caught.value.errno == 22


def test_magic_links_are_not_followed(tmp_path: Path) -> None:
    root = os.open("/", os.O_PATH)
    with pytest.raises(OSError):
        openat2.resolve(root, b"/proc/self/fd/0")
    os.close(root)
