import pytest

from argosy.base.errors import InvalidParameterError
from argosy.build.instructions import copy


@pytest.mark.parametrize(
    ("words", "cwd", "found"),
    [
        ("x", "/w", "/w/x"),
        (".", "/w", "/w/"),
        ("./", "/w", "/w/"),
        ("/a/b/", "/w", "/a/b/"),
        ("../y", "/w/v", "/w/y"),
        ("..", "/w/v", "/w/"),
        (".", "/", "/"),
        ("/", "/w", "/"),
        ("/a/./b/.", "", "/a/b/"),
    ],
)
def test_a_destination_is_absolute_and_a_directory_keeps_its_slash(words, cwd, found):
    assert copy.target(words, cwd) == found


@pytest.mark.parametrize(
    ("sources", "path", "kept"),
    [(["a/b/c"], "a/b/c", "a/b/c"), (["a/./b/c"], "a/b/c", "b/c"), (["./a/b"], "a/b", "a/b"), (["x", "a/./*"], "a/q", "q")],
)
def test_parents_keep_what_follows_the_dot(sources, path, kept):
    assert copy._kept(sources, path) == kept


def test_several_files_need_a_directory():
    place = copy.Place("/x", (0, 0), "")
    copy.check_target(1, place, "COPY")
    with pytest.raises(InvalidParameterError, match="When using COPY with more than one source file"):
        copy.check_target(2, place, "COPY")
