"""The cases are those of moby's own tests and of Go's ``TestMatch``."""

import fnmatch
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.base.patterns import PatternError, Patterns, clean, lines, matcher

YES, BELOW, NO = "the path", "what is below", "nothing"


@pytest.mark.parametrize(
    ("pattern", "path", "matched"),
    [
        ("**", "file", YES),
        ("**/", "file", YES),
        ("**", "dir/file", YES),
        ("**/", "dir/file", YES),
        ("**/**", "dir/file", YES),
        ("dir/**", "dir/file", YES),
        ("dir/**", "dir/dir2/file", YES),
        ("**/dir", "dir", YES),
        ("**/dir", "dir/file", BELOW),
        ("**/dir2/*", "dir/dir2/file", YES),
        ("**/dir2/*", "dir/dir2/file/x", BELOW),
        ("**/dir2/**", "dir/dir2/dir3/file", YES),
        ("**file", "file", YES),
        ("**file", "dir/file", YES),
        ("**file", "dir/myfile", YES),
        ("**/file", "dir/file", YES),
        ("**/file", "dir/myfile", NO),
        ("**/file", "dir/dir/file", YES),
        ("**/file*", "dir/dir/file", YES),
        ("**/file*", "dir/dir/file.txt", YES),
        ("**/file*txt", "dir/dir/file.txt", YES),
        ("**/file*.txt*", "dir/dir/file.txt", YES),
        ("**/**/*.txt", "dir/dir/file.txt", YES),
        ("**/**/*.txt2", "dir/dir/file.txt", NO),
        ("**/*.txt", "file.txt", YES),
        ("**/**/*.txt", "file.txt", YES),
        ("a**/*.txt", "a/file.txt", YES),
        ("a**/*.txt", "a/dir/file.txt", YES),
        ("a**/*.txt", "a/dir/dir/file.txt", YES),
        ("a/*.txt", "a/dir/file.txt", NO),
        ("a/*.txt", "a/file.txt", YES),
        ("a/*.txt**", "a/file.txt", YES),
        ("a[b-d]e", "ae", NO),
        ("a[b-d]e", "ace", YES),
        ("a[b-d]e", "aae", NO),
        ("a[^b-d]e", "aze", YES),
        (".*", ".foo", YES),
        (".*", "foo", NO),
        ("abc.def", "abcdef", NO),
        ("abc.def", "abc.def", YES),
        ("abc.def", "abcZdef", NO),
        ("abc?def", "abcZdef", YES),
        ("abc?def", "abcdef", NO),
        ("a\\\\", "a\\", YES),
        ("a\\*b", "a*b", YES),
        ("a\\*b", "axb", NO),
        ("**/foo/bar", "foo/bar", YES),
        ("**/foo/bar", "dir/dir2/foo/bar", YES),
        ("abc/**", "abc", NO),
        ("abc/**", "abc/def/ghi", YES),
        ("**/.foo", ".foo", YES),
        ("**/.foo", "bar.foo", NO),
        ("a(b)c/def", "a(b)c/def", YES),
        ("a(b)c/def", "a(b)c/xyz", NO),
        ("a.|)$(}+{bc", "a.|)$(}+{bc", YES),
        ("dist/*.whl", "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl", YES),
        ("docs/", "docs/README.md", BELOW),
        ("a/../b", "b", YES),
        ("./b", "b", YES),
        ("../b", "b", NO),
        (" b ", "b", YES),
        ("**/a/**/b", "a/b", YES),
        ("**/a/**/b", "x/a/a/y/b", YES),
        ("**/a/**/b/**/c", "a/b/a/b/c/c", YES),
        ("**/a/**/b/**/c", "a/c/b", NO),
        ("**a**b", "a/ab", YES),
    ],
)
def test_dockerignore_patterns(pattern, path, matched):
    rules = Patterns([pattern])
    assert rules.excludes(path) == (matched != NO)
    if matched == BELOW:
        assert rules.excludes(path.rpartition("/")[0])


@pytest.mark.parametrize(
    ("patterns", "path", "excluded"),
    [
        (["**", "!util/docker/web"], "util/docker/web/foo", False),
        (["**", "!util/docker/web", "util/docker/web/foo"], "util/docker/web/foo", True),
        (["**", "!dist/*.whl"], "dist/a.whl", False),
        (["!fileutils.go", "*.go"], "fileutils.go", True),
        (["*.go", "!fileutils.go"], "fileutils.go", False),
        (["docs", "!docs/README.md"], "docs/README.md", False),
        (["docs", "!docs/README.md"], "docs/other.md", True),
        (["docs/", "  !docs/README.md  "], "docs/README.md", False),
        (["docs/*", "!docs/README.md"], "docs/README.md", False),
        ([], "any", False),
    ],
)
def test_the_last_pattern_that_matches_decides(patterns, path, excluded):
    assert Patterns(patterns).excludes(path) is excluded


@pytest.mark.parametrize(
    ("pattern", "path", "matched"),
    [
        ("abc", "abc", True),
        ("*", "abc", True),
        ("*c", "abc", True),
        ("a*", "a", True),
        ("a*", "ab/c", False),
        ("a*/b", "abc/b", True),
        ("a*/b", "a/c/b", False),
        ("a*b*c*d*e*/f", "axbxcxdxe/f", True),
        ("a*b*c*d*e*/f", "axbxcxdxexxx/f", True),
        ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", False),
        ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", False),
        ("a*b?c*x", "abxbbxdbxebxczzx", True),
        ("a*b?c*x", "abxbbxdbxebxczzy", False),
        ("ab[c]", "abc", True),
        ("ab[e-g]", "abc", False),
        ("ab[^c]", "abc", False),
        ("ab[^e-g]", "abc", True),
        ("a\\*b", "a*b", True),
        ("a\\*b", "ab", False),
        ("a?b", "a☺b", True),
        ("a[^a]b", "a☺b", True),
        ("a???b", "a☺b", False),
        ("[a-ζ]*", "α", True),
        ("*[a-ζ]", "A", False),
        ("a?b", "a/b", False),
        ("a*b", "a/b", False),
        ("[\\]a]", "]", True),
        ("[\\-]", "-", True),
        ("[x\\-]", "x", True),
        ("[x\\-]", "z", False),
        ("[\\-x]", "-", True),
        ("[!a]", "!", True),
        ("[!a]", "b", False),
        ("[b-a]", "a", False),
        ("*x", "xxx", True),
        ("**", "a/b", False),
    ],
)
def test_go_s_match(pattern, path, matched):
    assert matcher(pattern)(path) is matched


@pytest.mark.parametrize("pattern", ["[]a]", "[-]", "[x-]", "[-x]", "\\", "[a-b-c]", "[", "[^", "[^bc", "a[", "[a", "[a\\"])
def test_what_is_no_pattern_is_refused(pattern):
    with pytest.raises(PatternError, match="syntax error in pattern"):
        matcher(pattern)
    with pytest.raises(PatternError):
        Patterns([pattern])


def test_an_exclamation_mark_alone_is_refused():
    with pytest.raises(PatternError, match='illegal exclusion pattern: "!"'):
        Patterns(["!"])


def test_a_file_s_lines():
    data = "\ufeff# comment\r\n  test1\n/test2\n/a/file/here\n\nlastfile\n# comment\n"
    data += "! /inverted/abs/path\n!\n! \n ./x/../y \n /\n # no comment\n"
    assert lines(data.encode()) == [
        "test1", "test2", "a/file/here", "lastfile", "!inverted/abs/path", "!", "!", "y", "/", "# no comment",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "shortest"),
    [("a//b/", "a/b"), ("/../a", "/a"), ("../../a", "../../a"), ("a/../..", ".."), ("", "."), ("/", "/"), ("a/./b/..", "a")],
)
def test_clean(path, shortest):
    assert clean(path) == shortest


def test_a_directory_is_entered_for_what_may_be_wanted_below():
    rules = Patterns(["*", "!docs/*.md", "!src/deep/file", "!**/keep"])
    assert all(rules.may_readmit(name) for name in ("docs", "src", "src/deep", "other"))
    rules = Patterns(["*", "!docs/*.md", "!src/deep/file"])
    assert rules.may_readmit("docs") and rules.may_readmit("src")
    assert not rules.may_readmit("other") and not rules.may_readmit("srcs")
    assert not Patterns(["*"]).may_readmit("docs")


def test_many_stars_take_no_time():
    started = time.process_time()
    assert not matcher("*a" * 40 + "b")("a" * 4000)
    assert not Patterns(["**/a/" * 40 + "b"]).excludes("a/" * 1500 + "c")
    assert time.process_time() - started < 20


@given(st.text(alphabet="ab*?", max_size=8), st.text(alphabet="ab", max_size=8))
def test_within_a_name_it_is_the_shell_s_match(pattern, name):
    assert matcher(pattern)(name) is fnmatch.fnmatchcase(name, pattern)


@given(st.lists(st.text(alphabet="ab/*!?", min_size=1, max_size=8), max_size=4), st.text(alphabet="ab/", min_size=1, max_size=10))
def test_what_directories_gave_changes_no_answer(patterns, path):
    path = clean("/" + path).lstrip("/")
    try:
        once, again = Patterns(patterns), Patterns(patterns)
    except PatternError:
        return
    for end in range(1, len(path.split("/"))):
        again.excludes("/".join(path.split("/")[:end]))
    assert once.excludes(path) == again.excludes(path)
