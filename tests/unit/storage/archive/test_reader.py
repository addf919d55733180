"""The reader against archives of Python's tarfile, in all three formats."""

import io
import os
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.storage.archive.entry import ArchiveError
from argosy.storage.archive.reader import Reader
from argosy.storage.archive.source import Source

NAME = st.text(st.characters(blacklist_characters="\0/", blacklist_categories=("Cs",)), min_size=1, max_size=40)
PATH = st.lists(NAME, min_size=1, max_size=8).map("/".join)
MEMBER = st.fixed_dictionaries(
    {
        "name": PATH,
        "type": st.sampled_from([tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE]),
        "mode": st.integers(0, 0o7777),
        "uid": st.integers(0, 2**31),
        "gid": st.integers(0, 2**31),
        "mtime": st.integers(0, 2**34),
        "linkname": PATH,
        "devmajor": st.integers(0, 0o777777),
        "devminor": st.integers(0, 0o777777),
        "data": st.binary(max_size=1500),
    }
)


def make(members, form):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for member in members:
            info = tarfile.TarInfo(member["name"])
            for key in ("type", "mode", "uid", "gid", "mtime", "devmajor", "devminor"):
                setattr(info, key, member[key])
            if info.type in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                info.linkname = member["linkname"]
            data = member["data"] if info.type == tarfile.REGTYPE else b""
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def memory(data):
    fd = os.memfd_create("test")
    os.write(fd, data)
    return fd


def read(data, tap=None):
    """Return [(entry, data)]; what the tap saw and the data together must be the archive."""
    fd, out = memory(data), os.memfd_create("out")
    try:
        reader = Reader(Source(fd, 0, len(data)), tap)
        found = []
        while (entry := reader.next()) is not None:
            os.lseek(out, 0, os.SEEK_SET)
            os.truncate(out, 0)
            reader.copy(out)
            content = os.pread(out, entry.stored, 0)
            found.append((entry, content))
            if tap is not None:
                tap.append(content)
        return found
    finally:
        os.close(fd)
        os.close(out)


@given(st.lists(MEMBER, max_size=6), st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]))
@settings(max_examples=150, deadline=None)
def test_members_come_out_as_tarfile_put_them_in(members, form):
    data = make(members, form)
    tap = []
    found = read(data, tap)
    assert b"".join(tap) == data
    assert len(found) == len(members)
    for (entry, content), member in zip(found, members):
        assert os.fsdecode(entry.name).rstrip("/") == member["name"]
        assert entry.kind == member["type"]
        assert (entry.mode, entry.uid, entry.gid) == (member["mode"], member["uid"], member["gid"])
        assert entry.mtime == member["mtime"] * 10**9
        if entry.kind == tarfile.REGTYPE:
            assert content == member["data"]
        if entry.kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            assert os.fsdecode(entry.linkname) == member["linkname"]
        if entry.kind == tarfile.CHRTYPE:
            assert (entry.devmajor, entry.devminor) == (member["devmajor"], member["devminor"])


@given(st.lists(MEMBER, min_size=1, max_size=4), st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_archive_is_an_archive_error_or_still_readable(members, data):
    archive = bytearray(make(members, tarfile.PAX_FORMAT))
    for _ in range(data.draw(st.integers(1, 5))):
        archive[data.draw(st.integers(0, len(archive) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(archive)))
    try:
        read(bytes(archive[:cut]))
    except ArchiveError:
        pass


@given(st.binary(max_size=4096))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_an_archive_error_or_nothing(data):
    try:
        read(data)
    except ArchiveError:
        pass


def test_fractions_of_seconds_and_attributes_come_from_pax_records():
    info = tarfile.TarInfo("f")
    info.pax_headers = {"mtime": "1700000000.123456789", "SCHILY.xattr.user.a": "1", "size": "0", "comment": "ignored"}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"SCHILY.xattr.user.g": "global"}) as archive:
        archive.addfile(info)
    ((entry, _),) = read(out.getvalue())
    assert entry.mtime == 1_700_000_000_123_456_789
    assert entry.xattrs == {b"user.a": b"1", b"user.g": b"global"}


def test_an_archive_without_its_end_mark_is_taken():
    data = make([{**_PLAIN, "data": b"x" * 512}], tarfile.PAX_FORMAT)
    assert len(read(data[:1024])) == 1


def test_a_pax_header_that_claims_too_much_is_refused():
    info = tarfile.TarInfo("x")
    info.type, info.size = b"x", 1 << 40
    with pytest.raises(ArchiveError, match="too long"):
        read(info.tobuf(tarfile.USTAR_FORMAT if info.size < 8**11 else tarfile.GNU_FORMAT))


_PLAIN = {
    "name": "f",
    "type": tarfile.REGTYPE,
    "mode": 0o644,
    "uid": 0,
    "gid": 0,
    "mtime": 0,
    "linkname": "",
    "devmajor": 0,
    "devminor": 0,
    "data": b"",
}
