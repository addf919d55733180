"""Archives that we make, that we take apart, and what of a directory a build sends."""

import io
import os
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from argosy.base.patterns import Patterns
from argosy.cli.archive.copying import landing, wants_content
from argosy.cli.archive.pack import Entry, pack, walk
from argosy.cli.archive.unpack import UnpackError, unpack
from argosy.cli.commands.container.cp import split
from argosy.cli.errors import ExitError
from argosy.cli.images.context import ContextError, packed
from argosy.cli.images.named import Named
from argosy.cli.session import Session


def tar(*members: tarfile.TarInfo | tuple[str, bytes]) -> Iterator[bytes]:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for member in members:
            if isinstance(member, tuple):
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
            else:
                archive.addfile(member)
    data = buffer.getvalue()
    return iter([data[at : at + 700] for at in range(0, len(data), 700)])


def entry(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, target, 0o755
    return info


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    (source / "sub").mkdir(parents=True)
    (source / "file").write_bytes(b"x" * 1000)
    (source / "file").chmod(0o640)
    os.link(source / "file", source / "sub" / "hard")
    (source / "link").symlink_to("file")
    os.mkfifo(source / "pipe")
    (source / ("long" * 60)).write_text("l")
    os.utime(source / "file", (1, 1000))
    return source


def test_a_tree_goes_through_an_archive_unchanged(tree: Path, tmp_path: Path) -> None:
    count = unpack(pack([Entry("t", str(tree)), *walk(str(tree), name="t")]), str(tmp_path), "copy", owners=False)
    copy = tmp_path / "copy"
    assert count > 1000
    assert (copy / "file").read_bytes() == b"x" * 1000
    assert (copy / "file").stat().st_mode & 0o7777 == 0o640
    assert (copy / "file").stat().st_mtime == 1000
    assert (copy / "sub" / "hard").stat().st_ino == (copy / "file").stat().st_ino
    assert (copy / "link").readlink() == Path("file")
    assert (copy / "pipe").is_fifo()
    assert (copy / ("long" * 60)).read_text() == "l"


def test_a_file_that_shrinks_meanwhile_keeps_the_archive_whole(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"a" * 600_000)
    pieces = pack([Entry("f", str(tmp_path / "f"))])
    data = next(pieces)
    (tmp_path / "f").write_bytes(b"")
    data += b"".join(pieces)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert [member.size for member in archive] == [600_000]


def test_the_content_of_a_directory_lands_in_another(tmp_path: Path) -> None:
    unpack(tar(entry("./", tarfile.DIRTYPE), ("./a", b"1"), ("./d/b", b"2")), str(tmp_path), "", owners=False)
    assert ((tmp_path / "a").read_bytes(), (tmp_path / "d" / "b").read_bytes()) == (b"1", b"2")


@pytest.mark.parametrize(
    "members",
    [
        (entry("r", tarfile.DIRTYPE), ("r/../../evil", b"x")),
        (entry("r", tarfile.DIRTYPE), ("other/evil", b"x")),
        (entry("r", tarfile.DIRTYPE), entry("r/out", tarfile.SYMTYPE, ".."), ("r/out/evil", b"x")),
        (entry("r", tarfile.DIRTYPE), entry("r/out", tarfile.SYMTYPE, "/tmp"), entry("r/out/evil", tarfile.DIRTYPE)),
        (entry("r", tarfile.DIRTYPE), entry("r/hard", tarfile.LNKTYPE, "r/../../secret")),
        (entry("r", tarfile.DIRTYPE), entry("r/out", tarfile.SYMTYPE, "../.."), entry("r/hard", tarfile.LNKTYPE, "r/out/secret")),
        (("r", b"x"), entry("r", tarfile.SYMTYPE, ".."), ("r/evil", b"x")),
    ],
)
def test_a_hostile_archive_never_leaves_the_target(tmp_path: Path, members: tuple[tarfile.TarInfo | tuple[str, bytes], ...]) -> None:
    (tmp_path / "secret").write_text("s")
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    with pytest.raises(UnpackError):
        unpack(tar(*members), str(inside), "r", owners=False)
    assert not (tmp_path / "a" / "evil").exists()
    assert not (tmp_path / "evil").exists()
    assert (tmp_path / "secret").stat().st_nlink == 1


def test_a_link_that_lies_at_the_target_is_replaced_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    (tmp_path / "f").symlink_to("secret")
    unpack(tar(("f", b"new")), str(tmp_path), "f", owners=False)
    assert (tmp_path / "secret").read_text() == "s"
    assert (tmp_path / "f").read_bytes() == b"new"


def test_a_broken_archive_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnpackError, match="broken"):
        unpack(iter([b"junk" * 1000]), str(tmp_path), "x", owners=False)


@pytest.mark.parametrize(
    ("source", "directory", "content", "target", "kind", "expected"),
    [
        ("f", False, False, "/d", "directory", ("/d", "f")),
        ("f", False, False, "/d/g", "missing", ("/d", "g")),
        ("f", False, False, "/d/g", "file", ("/d", "g")),
        ("s", True, False, "/d", "directory", ("/d", "s")),
        ("s", True, True, "/d", "directory", ("/d", "")),
        ("s", True, False, "/d/n", "missing", ("/d", "n")),
        ("s", True, True, "/d/n/", "missing", ("/d", "n")),
        ("f", False, False, "g", "missing", (".", "g")),
    ],
)
def test_copies_land_where_docker_puts_them(
    source: str, directory: bool, content: bool, target: str, kind: str, expected: tuple[str, str]
) -> None:
    assert landing(source_name=source, source_is_directory=directory, content_only=content, target=target, target_kind=kind) == expected


@pytest.mark.parametrize(
    ("directory", "target", "kind", "message"),
    [
        (True, "/f", "file", "cannot copy directory"),
        (False, "/n/", "missing", "no such directory"),
        (False, "/f/", "file", "not a directory"),
    ],
)
def test_impossible_copies_are_refused(directory: bool, target: str, kind: str, message: str) -> None:
    with pytest.raises(ExitError) as caught:
        landing(source_name="x", source_is_directory=directory, content_only=False, target=target, target_kind=kind)
    assert str(caught.value) == message


def test_arguments_of_cp() -> None:
    assert split("web:/etc") == ("web", "/etc")
    assert split("./a:b") == ("", "./a:b")
    assert split("/a:b") == ("", "/a:b")
    assert split("plain") == ("", "plain")
    assert wants_content("a/.")
    assert not wants_content("a/")


@pytest.mark.parametrize(
    ("lines", "name", "excluded"),
    [
        (["*.o"], "a.o", True),
        (["*.o"], "d/a.o", False),
        (["**/*.o"], "d/e/a.o", True),
        (["**/*.o"], "a.o", True),
        (["d"], "d/e/f", True),
        (["/d/"], "d/x", True),
        (["d/*"], "d/x/y", True),
        (["# comment", ""], "x", False),
        (["*", "!keep"], "keep", False),
        (["*", "!d/keep"], "d/keep", False),
        (["*.md", "!README*.md", "README-secret.md"], "README-secret.md", True),
        (["a?c"], "abc", True),
        (["[a-c]x"], "bx", True),
        (["./d/../e"], "e", True),
        (["a+b"], "aab", False),
    ],
)
def test_ignore_patterns(lines: list[str], name: str, excluded: bool) -> None:
    assert Patterns.parse("\n".join(lines).encode()).excludes(name) is excluded


def named(*texts: str) -> Named:
    """Contexts that need no daemon."""
    return Named(cast(Session, None), list(texts))


def names(pieces: Iterator[bytes] | None) -> list[str]:
    assert pieces is not None
    with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as archive:
        return archive.getnames()


def test_a_build_sends_what_is_not_ignored_and_always_the_dockerfile(tmp_path: Path) -> None:
    for name in ("Dockerfile", "app", "junk/a", "kept/b", "kept/c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / ".dockerignore").write_text("*\n!app\n!kept/b\n")
    assert names(packed(str(tmp_path), "", named()).pieces) == [".dockerignore", "Dockerfile", "app", "kept/b"]


def test_a_dockerfile_outside_of_the_context_goes_along_and_stays_unseen(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    (tmp_path / "c/app").write_text("x")
    (tmp_path / "Other").write_text("FROM x")
    source = packed(str(tmp_path / "c"), str(tmp_path / "Other"), named())
    assert re.fullmatch(r"\.dockerfile\.[0-9a-f]{20}", source.dockerfile)
    with tarfile.open(fileobj=io.BytesIO(b"".join(source.pieces))) as archive:
        assert archive.getnames() == [source.dockerfile, ".dockerignore", "app"]
        assert archive.extractfile(".dockerignore").read().decode() == f"\n{source.dockerfile}\n.dockerignore\n"


def test_directories_under_names_go_along_each_by_its_own_patterns(tmp_path: Path) -> None:
    for name in ("c/Dockerfile", "c/app", "other/kept", "other/junk"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "other/.dockerignore").write_text("junk\n")
    sent = named(f"more={tmp_path}/other", "base=docker-image://busybox")
    (place,) = sent.directories
    assert sent.sources == {"more": f"sent://{place}", "base": "docker-image://busybox"}
    found = names(packed(str(tmp_path / "c"), "", sent).pieces)
    assert {"Dockerfile", "app", f"{place}/kept"} <= set(found)
    assert f"{place}/junk" not in found


@pytest.mark.parametrize(
    ("text", "reason"), [("nameless", "use NAME=DIRECTORY"), ("a=ftp://x", "ftp:// is not supported"), ("a=/nowhere", "is not a directory")]
)
def test_a_context_that_is_none_is_told(text: str, reason: str) -> None:
    with pytest.raises(ExitError, match=reason):
        named(text)


def test_patterns_beside_the_dockerfile_come_first(tmp_path: Path) -> None:
    for name, text in {"sub/D": "FROM x", "sub/D.dockerignore": "a\n", ".dockerignore": "b\n", "a": "1", "b": "2"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert names(packed(str(tmp_path), "sub/D", named()).pieces) == [".dockerignore", "b", "sub", "sub/D", "sub/D.dockerignore"]


def test_a_missing_context_or_dockerfile_is_told(tmp_path: Path) -> None:
    with pytest.raises(ContextError, match="not found"):
        packed(str(tmp_path / "none"), "", named())
    with pytest.raises(ContextError, match="failed to read dockerfile"):
        packed(str(tmp_path), "", named())
    assert packed("https://example.org/x.git", "", named()).remote == "https://example.org/x.git"
