"""``docker cp`` on a real overlay, with the real workers: volumes of a stopped container, links, owners, refusals."""

import bz2
import gzip
import io
import lzma
import os
import stat
import tarfile

import pytest
import zstandard

from argosy.base.errors import ArgosyError, InvalidParameterError, NotFoundError
from argosy.engine.copy import Place, get_archive, put_archive, stat_path
from argosy.engine.copy.export import export
from argosy.engine.model import MountPoint
from argosy.storage.limits import Limits


def tar(*members):
    """Members: (name, content; None: a directory)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.uid, info.gid, info.mode = 5, 6, 0o640
            if content is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o750
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


async def body(data, size=1000):
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def put(workers, place, path, data, *, no_overwrite=False, owner=None):
    await put_archive(workers, place, path, body(data), name="web", no_overwrite_dir_non_dir=no_overwrite, owner=owner)


async def get(workers, place, path):
    found, pieces = await get_archive(workers, place, path, name="web")
    packed = b"".join([piece async for piece in pieces])
    return found, tarfile.open(fileobj=io.BytesIO(packed))


def open_files():
    return len(os.listdir("/proc/self/fd"))


async def test_stat_shows_go_modes_and_where_links_lead(workers, snapshot):
    place = Place(snapshot)
    found = await stat_path(workers, place, "/tmp", name="web")
    assert found["name"] == "tmp" and found["mode"] == 1 << 31 | 1 << 20 | 0o777 and found["mtime"].endswith("Z")
    assert (await stat_path(workers, place, "dir/file", name="web"))["size"] == 7
    link = await stat_path(workers, place, "/abs", name="web")
    assert link["mode"] & 1 << 27 and link["linkTarget"] == "/etc/passwd"
    # A link that climbs ends at the container's root.
    assert (await stat_path(workers, place, "/rel", name="web"))["linkTarget"] == "/dir"
    assert (await stat_path(workers, place, "/rel/file", name="web"))["name"] == "file"


@pytest.mark.parametrize("path", ["/nope", "/etc/passwd/x", "/../../nope"])
async def test_what_is_not_there_is_named_in_dockers_words(workers, snapshot, path):
    with pytest.raises(NotFoundError) as error:
        await get(workers, Place(snapshot), path)
    assert str(error.value) == f"Could not find the file {os.path.normpath(path)} in container web"


async def test_a_directory_comes_with_all_below_it(workers, snapshot):
    await stat_path(workers, Place(snapshot), "/", name="web")  # the launcher runs
    before = open_files()
    found, archive = await get(workers, Place(snapshot), "/dir")
    assert found["name"] == "dir"
    assert sorted(archive.getnames()) == ["dir", "dir/file", "dir/sub"]
    assert archive.extractfile("dir/file").read() == b"content"
    assert open_files() == before


async def test_what_is_put_keeps_its_ids_unless_an_owner_is_asked_for(workers, snapshot):
    place = Place(snapshot)
    await put(workers, place, "/tmp", tar(("d", None), ("d/f", b"x")))
    found = os.stat(f"{snapshot.upper}/tmp/d/f")
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (5, 6, 0o640)
    for owner, ids in (("app", (7, 8)), ("app:web", (7, 9)), ("3:4", (3, 4)), ("12", (12, 0))):
        await put(workers, place, "/tmp", tar(("f", b"x")), owner=owner)
        found = os.stat(f"{snapshot.upper}/tmp/f")
        assert (found.st_uid, found.st_gid) == ids


async def test_an_unknown_owner_is_refused_and_nothing_is_written(workers, snapshot):
    with pytest.raises(InvalidParameterError, match="unable to find user nobody: no matching entries in passwd file"):
        await put(workers, Place(snapshot), "/tmp", tar(("f", b"x")), owner="nobody")
    assert not os.path.exists(f"{snapshot.upper}/tmp/f")


async def test_a_directory_is_not_replaced_by_a_file_if_so_asked(workers, snapshot):
    place = Place(snapshot)
    with pytest.raises(ArgosyError, match='cannot overwrite directory "sub" with non-directory'):
        await put(workers, place, "/dir", tar(("sub", b"x")), no_overwrite=True)
    with pytest.raises(ArgosyError, match='cannot overwrite non-directory "file" with directory'):
        await put(workers, place, "/dir", tar(("file", None)), no_overwrite=True)
    await put(workers, place, "/dir", tar(("sub", b"x")))


async def test_nothing_is_put_into_a_file_or_nowhere(workers, snapshot):
    with pytest.raises(InvalidParameterError, match="extraction point is not a directory"):
        await put(workers, Place(snapshot), "/dir/file", tar(("f", b"x")))
    with pytest.raises(NotFoundError, match="Could not find the file /nope in container web"):
        await put(workers, Place(snapshot), "/nope", tar(("f", b"x")))


async def test_members_that_climb_stay_inside(workers, snapshot, scratch):
    for name in ("../../escaped", "/etc/new", "a/../../../escaped2"):
        try:
            await put(workers, Place(snapshot), "/tmp", tar((name, b"x")))
        except ArgosyError:
            pass
    assert not any(name.startswith("escaped") for name in os.listdir(scratch))
    assert not os.path.exists("/escaped") and not os.path.exists("/etc/new")


async def test_a_broken_archive_is_refused(workers, snapshot):
    with pytest.raises(ArgosyError):
        await put(workers, Place(snapshot), "/tmp", b"garbage " * 1000)


async def test_a_client_that_leaves_ends_the_worker(workers, snapshot):
    async def broken():
        yield tar(("f", b"x" * 100000))[:5000]
        raise ConnectionResetError("gone")

    await stat_path(workers, Place(snapshot), "/", name="web")  # the launcher runs
    before = open_files()
    with pytest.raises(Exception, match="gone"):
        await put_archive(workers, Place(snapshot), "/tmp", broken(), name="web", no_overwrite_dir_non_dir=False, owner=None)
    assert open_files() == before


async def test_volumes_of_a_stopped_container_are_seen_and_written(workers, snapshot, scratch):
    """Also through a link into them, and below a mount point that no start has made yet."""
    volume, other = scratch / "volume", scratch / "other"
    volume.mkdir()
    other.mkdir()
    (volume / "v").write_text("in the volume")
    (scratch / "one").write_text("a single file")
    os.symlink("/data/deep", f"{snapshot.lower[0]}/to-volume")
    place = Place(
        snapshot,
        (
            MountPoint(type="volume", name="v", source=str(volume), destination="/data/deep"),
            MountPoint(type="bind", source=str(other), destination="/data/deep/inner"),
            MountPoint(type="bind", source=str(scratch / "one"), destination="/etc/one"),
            MountPoint(type="tmpfs", destination="/t"),
            MountPoint(type="bind", source=str(scratch / "gone"), destination="/gone"),
        ),
    )
    assert (await get(workers, place, "/to-volume/v"))[1].extractfile("v").read() == b"in the volume"
    assert (await get(workers, place, "/etc/one"))[1].extractfile("one").read() == b"a single file"
    await put(workers, place, "/data/deep", tar(("new", b"n")))
    await put(workers, place, "/data/deep/inner", tar(("new", b"i")))
    assert (volume / "new").read_text() == "n" and (other / "new").read_text() == "i"
    assert "inner" in os.listdir(volume)
    with open("/proc/self/mounts") as mounts:
        assert str(scratch) not in mounts.read()


async def test_read_only_places_refuse_in_dockers_words(workers, snapshot, scratch):
    for name in ("ro", "rw"):
        (scratch / name).mkdir()
    os.symlink("/ro", f"{snapshot.lower[0]}/hidden")
    points = (
        MountPoint(type="volume", name="ro", source=str(scratch / "ro"), destination="/ro", rw=False),
        MountPoint(type="volume", name="rw", source=str(scratch / "rw"), destination="/rw"),
    )
    place = Place(snapshot, points, read_only=True)
    for path, words in (("/tmp", "container rootfs is marked read-only"), ("/ro", "mounted volume is marked read-only")):
        with pytest.raises(InvalidParameterError, match=words):
            await put(workers, place, path, tar(("f", b"x")))
    # The text of the path says nothing of where a link leads: there the kernel refuses.
    with pytest.raises(ArgosyError, match="read-only"):
        await put(workers, Place(snapshot, points), "/hidden", tar(("f", b"x")))
    assert os.listdir(scratch / "ro") == []
    await put(workers, place, "/rw", tar(("f", b"x")))
    assert os.listdir(scratch / "rw") == ["f"]


async def test_export_holds_the_files_of_both_layers_and_leaves_them_alone(workers, snapshot):
    await put(workers, Place(snapshot), "/tmp", tar(("new", b"x")))
    packed = b"".join([piece async for piece in await export(workers, snapshot)])
    names = tarfile.open(fileobj=io.BytesIO(packed)).getnames()
    assert {"dir", "dir/file", "etc/passwd", "tmp/new"} <= set(names)


async def test_a_large_archive_passes_through(workers, snapshot):
    content = os.urandom(3_000_000)
    await put(workers, Place(snapshot), "/tmp", tar(("big", content)))
    assert (await get(workers, Place(snapshot), "/tmp/big"))[1].extractfile("big").read() == content


PACKERS = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": zstandard.compress}


@pytest.mark.parametrize("kind", PACKERS)
async def test_an_archive_is_unpacked_whatever_compressed_it(workers, snapshot, kind):
    place = Place(snapshot)
    await put(workers, place, "/tmp", PACKERS[kind](tar(("d", None), ("d/file", b"content" * 10_000))))
    _, archive = await get(workers, place, "/tmp/d")
    assert archive.extractfile("d/file").read() == b"content" * 10_000


@pytest.mark.parametrize("kind", ["gzip", "bzip2"])
async def test_what_unpacks_to_too_much_is_refused_and_leaves_no_half_of_a_file(workers, snapshot, kind):
    place = Place(snapshot)
    data = PACKERS[kind](tar(("before", b"x"), ("zeros", bytes(8 << 20))))
    with pytest.raises(InvalidParameterError, match=r"the archive holds more than 1.049MB, the limit of --max-archive-size"):
        await put_archive(
            workers,
            place,
            "/tmp",
            body(data),
            name="web",
            no_overwrite_dir_non_dir=False,
            owner=None,
            limits=Limits(size=1 << 20),
        )
    _, archive = await get(workers, place, "/tmp")
    assert archive.getnames() == ["tmp", "tmp/before"]
