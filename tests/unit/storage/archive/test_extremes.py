"""Archives that want memory, time or numbers that nobody has."""

import io
import os
import subprocess
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.storage.archive import header
from argosy.storage.archive.entry import BLOCK, DIRECTORY, FIFO, HARDLINK, REGULAR, SYMLINK, ArchiveError, Entry
from argosy.storage.archive.reader import Reader
from argosy.storage.archive.recipe import Writer
from argosy.storage.archive.source import Source


def members(data, tap=None):
    fd = os.memfd_create("archive")
    try:
        os.write(fd, data)
        reader = Reader(Source(fd, 0, len(data)), tap)
        found = []
        while (entry := reader.next()) is not None:
            found.append(entry)
        return found
    finally:
        os.close(fd)


def pax(kind, body, follows=b""):
    entry = Entry(b"p", kind, size=len(body))
    return header.encode(entry) + body + bytes(-len(body) % BLOCK) + follows


def record(key, value):
    return header._record(key, value)


def test_global_headers_do_not_fill_the_memory():
    data = b"".join(pax(b"g", record(b"comment%d" % number, b"x" * 60_000)) for number in range(30))
    with pytest.raises(ArchiveError, match="too long"):
        members(data)


@pytest.mark.parametrize("number", [b"9" * 5000, b"-1", b"1e9", b""])
def test_sizes_that_are_no_numbers_are_refused(number):
    with pytest.raises(ArchiveError):
        members(pax(b"x", record(b"size", number), header.encode(Entry(b"f"))))


@pytest.mark.parametrize("map_", [b"9" * 5000 + b"\n", b"600000\n", b"-1\n", b"1\n0\n"])
def test_sparse_maps_that_claim_too_much_are_refused(map_):
    records = record(b"GNU.sparse.major", b"1") + record(b"GNU.sparse.minor", b"0") + record(b"GNU.sparse.realsize", b"10")
    body = map_ + bytes(-len(map_) % BLOCK)
    data = pax(b"x", records, header.encode(Entry(b"f", size=len(body))) + body)
    with pytest.raises(ArchiveError):
        members(data)


def test_a_long_sparse_map_takes_time_in_proportion():
    count = 200_000
    map_ = b"%d\n" % count + b"".join(b"%d\n0\n" % number for number in range(count))
    map_ += bytes(-len(map_) % BLOCK)
    records = record(b"GNU.sparse.major", b"1") + record(b"GNU.sparse.minor", b"0") + record(b"GNU.sparse.realsize", b"%d" % count)
    (entry,) = members(pax(b"x", records, header.encode(Entry(b"f", size=len(map_))) + map_))
    assert (entry.size, entry.stored, entry.sparse) == (count, 0, [])


def test_what_follows_the_end_goes_to_the_recipe_piece_by_piece():
    class Watched(Writer):
        most = 0

        def append(self, data):
            super().append(data)
            self.most = max(self.most, self._held)

    recipe = Watched(os.memfd_create("recipe"))
    members(header.encode(Entry(b"f")) + header.END + bytes(20 << 20), recipe)
    assert recipe.finish()
    assert recipe.most < 2 << 20


NAME = st.binary(min_size=1, max_size=120).filter(lambda name: b"\0" not in name and b"/" not in name and name not in (b".", b".."))
PATH = st.lists(NAME, min_size=1, max_size=4).map(b"/".join)


@st.composite
def entries(draw):
    kind = draw(st.sampled_from([REGULAR, DIRECTORY, SYMLINK, HARDLINK, FIFO]))
    name = draw(PATH)
    data = draw(st.binary(max_size=1200)) if kind == REGULAR else b""
    link = draw(PATH) if kind in (SYMLINK, HARDLINK) else b""
    numbers = {key: draw(st.integers(0, 2**31)) for key in ("uid", "gid")}
    xattrs = draw(st.dictionaries(st.sampled_from([b"user.a", b"security.capability"]), st.binary(max_size=40), max_size=2))
    seconds, fraction = draw(st.integers(0, 2**34)), draw(st.integers(0, 10**9 - 1))
    mtime = seconds * 10**9 + fraction
    entry = Entry(
        name + b"/" * (kind == DIRECTORY),
        kind,
        mode=draw(st.integers(0, 0o7777)),
        size=len(data),
        mtime=mtime,
        linkname=link,
        xattrs=xattrs,
        **numbers,
    )
    return entry, data


def archive(made):
    return b"".join(header.encode(entry) + data + bytes(-len(data) % BLOCK) for entry, data in made) + header.END


@given(st.lists(entries(), max_size=5))
@settings(max_examples=150)
def test_our_reader_reads_what_our_writer_writes(made):
    found = members(archive(made))
    for got, (entry, _) in zip(found, made, strict=True):
        for field in ("name", "kind", "mode", "uid", "gid", "size", "mtime", "linkname", "xattrs"):
            assert getattr(got, field) == getattr(entry, field), field


@given(st.lists(entries(), max_size=5, unique_by=lambda made: made[0].name.rstrip(b"/")))
@settings(max_examples=60)
def test_gnu_tar_lists_what_our_writer_writes(made):
    done = subprocess.run(
        ["tar", "-t", "--null", "--quoting-style=literal", "--show-stored-names"], input=archive(made), capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"".join(entry.name + b"\n" for entry, _ in made)


@given(
    st.lists(st.tuples(NAME, st.binary(max_size=3000)), max_size=5, unique_by=lambda item: item[0]),
    st.sampled_from(["gnu", "pax", "posix"]),
)
@settings(max_examples=40)
def test_our_reader_reads_what_gnu_tar_writes(tmp_path_factory, files, form):
    folder = os.fsencode(tmp_path_factory.mktemp("tar"))
    for name, data in files:
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)
    names = b"\0".join(name for name, _ in files)
    command = ["tar", "-c", f"--format={form}", "-C", folder, "--null", "--no-recursion", "--verbatim-files-from", "-T", "-"]
    done = subprocess.run(command, input=names, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert {(entry.name, entry.size) for entry in members(done.stdout)} == {(name, len(data)) for name, data in files}
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as other:
        assert len(other.getmembers()) == len(files)
