"""What we write, read by Python's tarfile and by ourselves."""

import io
import os
import tarfile

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from argosy.storage.archive import header
from argosy.storage.archive.entry import ArchiveError, Entry, clean
from argosy.storage.archive.reader import Reader
from argosy.storage.archive.source import Source

BYTES_NAME = st.binary(min_size=1, max_size=300).filter(lambda name: b"\0" not in name and not name.endswith(b"/"))


@given(
    name=BYTES_NAME,
    linkname=BYTES_NAME,
    mode=st.integers(0, 0o7777),
    uid=st.integers(0, 2**32 - 2),
    gid=st.integers(0, 2**32 - 2),
    mtime=st.integers(-(2**40), 2**62),
    xattrs=st.dictionaries(st.sampled_from([b"user.a", b"security.capability"]), st.binary(max_size=40)),
)
@example(name=b"a" * 100, linkname=b"b" * 100, mode=0, uid=0, gid=0, mtime=0, xattrs={})
@example(name=b"d/" * 77 + b"a" * 100, linkname=b"b" * 101, mode=0, uid=0o7777777, gid=0o10000000, mtime=0, xattrs={})
@settings(max_examples=200, deadline=None)
def test_what_is_written_is_read_back(name, linkname, mode, uid, gid, mtime, xattrs):
    entry = Entry(name, b"2", mode=mode, uid=uid, gid=gid, mtime=mtime, linkname=linkname, xattrs=xattrs)
    data = header.encode(entry) + header.END
    assert len(data) % 512 == 0
    fd = os.memfd_create("t")
    os.write(fd, data)
    found = Reader(Source(fd, 0, len(data))).next()
    os.close(fd)
    for field in ("name", "kind", "mode", "uid", "gid", "mtime", "linkname", "xattrs"):
        assert getattr(found, field) == getattr(entry, field), field


@given(name=st.text(st.characters(blacklist_characters="\0/", blacklist_categories=("Cs",)), min_size=1, max_size=200))
@settings(max_examples=100, deadline=None)
def test_tarfile_reads_what_is_written(name):
    entry = Entry(name.encode(), mode=0o640, uid=5, gid=6, size=3, mtime=1_700_000_000_500_000_000)
    data = header.encode(entry) + b"abc".ljust(512, b"\0") + header.END
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        (member,) = archive.getmembers()
        assert (member.name, member.mode, member.uid, member.gid, member.mtime) == (name, 0o640, 5, 6, 1_700_000_000.5)
        assert archive.extractfile(member).read() == b"abc"


def test_a_large_file_is_told_by_a_pax_record():
    data = header.encode(Entry(b"big", size=9 * 10**9))
    assert b"size=9000000000\n" in data


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        (b"a", b"a"),
        (b"./a/", b"a"),
        (b"/etc/passwd", b"etc/passwd"),
        (b"//a//b/./c", b"a/b/c"),
        (b"a/../b", b"b"),
        (b".", b"."),
        (b"./", b"."),
        (b"", b"."),
        (b"a/b/../../c", b"c"),
        (b"..a/b..", b"..a/b.."),
        (b"...", b"..."),
    ],
)
def test_names_are_cleaned(name, cleaned):
    assert clean(name) == cleaned


@pytest.mark.parametrize("name", [b"..", b"../x", b"/../x", b"a/../../x", b"./..", b"a/b/../../../c"])
def test_names_that_climb_out_are_refused(name):
    with pytest.raises(ArchiveError, match='is outside of "/"'):
        clean(name)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (b"0000644\0", 0o644),
        (b"    644 ", 0o644),
        (b"\0" * 8, 0),
        (b"\x80\0\0\0\0\0\x01\0", 256),
        (b"\xff" * 8, -1),
    ],
)
def test_numbers_in_all_their_forms(field, value):
    assert header.number(field) == value


@pytest.mark.parametrize("data", [b"5 a=b", b"99 a=b\n", b"x a=b\n", b"6 ab\n\n", b"3 \n", b"-1 a=b\n"])
def test_broken_pax_records_are_refused(data):
    with pytest.raises(ArchiveError):
        header.parse_records(data)
