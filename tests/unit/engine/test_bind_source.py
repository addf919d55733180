import os

import pytest

from argosy.base.errors import InvalidParameterError
from argosy.engine import bind_source
from argosy.engine.model import MountPoint


def point(source, *options):
    return MountPoint(type="bind", source=str(source), destination="/d", options=options)


def test_what_is_there_stays_as_it_is(tmp_path):
    assert bind_source.made(point(tmp_path), "error", "") == ""
    (tmp_path / "link").symlink_to("nowhere")
    assert bind_source.made(point(tmp_path / "link"), "error", "") == ""


def test_dockers_way_is_a_directory_of_root_and_a_warning(tmp_path):
    warning = bind_source.made(point(tmp_path / "a/b"), "root", "1:2")
    assert (tmp_path / "a/b").is_dir() and warning.endswith("/a/b did not exist and has been created as an empty directory of root")


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a directory away")
@pytest.mark.parametrize(
    ("user", "owner", "whose"), [("7:8", (7, 8), "user 7"), ("7", (7, 7), "user 7"), ("web", (0, 0), "root"), ("", (0, 0), "root")]
)
def test_or_one_of_the_containers_user(tmp_path, user, owner, whose):
    assert bind_source.made(point(tmp_path / "new"), "user", user).endswith(f"directory of {whose}")
    found = (tmp_path / "new").stat()
    assert (found.st_uid, found.st_gid) == owner


@pytest.mark.parametrize(("way", "name", "options"), [("error", "new", ()), ("user", "new", ("must-exist",)), ("root", "/dev/nope", ())])
def test_or_a_refusal_that_makes_nothing(tmp_path, way, name, options):
    with pytest.raises(InvalidParameterError, match="bind source path does not exist: "):
        bind_source.made(point(tmp_path / name, *options), way, "")
    assert list(tmp_path.iterdir()) == []
