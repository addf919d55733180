"""Where a copy works, and what goes wrong on the way, without a kernel."""

import asyncio
import base64
import json
import os

import pytest

from argosy.base.errors import ArgosyError, InvalidParameterError, NotFoundError, SystemFailureError
from argosy.engine.copy import Place, encode_stat, get_archive, put_archive, stat_path
from argosy.engine.copy.place import grafts, readable
from argosy.engine.model import MountPoint
from argosy.storage.model import Directory, Mapped, Overlay

POINTS = (
    MountPoint(type="volume", destination="/data", rw=False),
    MountPoint(type="volume", destination="/data/inner"),
    MountPoint(type="bind", destination="/etc/hosts"),
)


@pytest.mark.parametrize(
    ("path", "destination"),
    [
        ("/data", "/data"),
        ("data/x/../y", "/data"),
        ("//data/", "/data"),
        ("/data/inner/z", "/data/inner"),
        ("/data/innermost", "/data"),
        ("/database", None),
        ("/", None),
        ("/data/../etc", None),
    ],
)
def test_the_innermost_mount_covers_a_path(path, destination):
    found = Place(Directory("/x"), POINTS).covering(path)
    assert (found.destination if found else None) == destination


def test_a_view_to_read_from_cannot_be_written():
    assert readable(Overlay(("/l1", "/l2"), "/u", "/w")) == Overlay(("/u", "/l1", "/l2"))
    assert readable(Overlay(("/l1",))) == Overlay(("/l1",))
    assert readable(Directory("/d")) == Directory("/d")


def test_the_header_is_base64_of_json():
    assert json.loads(base64.b64decode(encode_stat({"name": "x", "size": 1}))) == {"name": "x", "size": 1}


class Workers:
    """Answers each job by a function of (params, fds)."""

    def __init__(self, **jobs):
        self.jobs = jobs
        self.asked = []

    async def run(self, job, params, *, fds=(), root=None, views=()):
        self.asked.append((job, root))
        await asyncio.sleep(0)
        return self.jobs[job](params, fds)


def fails(error):
    def job(params, fds):
        raise error

    return job


STAT = {"name": "f", "size": 1, "mode": 0o644, "mtime_ns": 1_500_000_000, "linkTarget": ""}


def open_files():
    return len(os.listdir("/proc/self/fd"))


async def body(*chunks):
    for chunk in chunks:
        yield chunk


async def put(workers, place=Place(42), path="/tmp"):
    await put_archive(workers, place, path, body(b"x" * 10, b"y"), name="web", no_overwrite_dir_non_dir=False, owner=None)


async def test_stat_is_written_as_docker_does():
    workers = Workers(stat=lambda params, fds: STAT)
    assert await stat_path(workers, Place(42), "/f", name="web") == {
        "name": "f", "size": 1, "mode": 0o644, "mtime": "1970-01-01T00:00:01.5Z", "linkTarget": "",
    }  # fmt: skip
    assert workers.asked == [("stat", 42)]


async def test_a_missing_file_is_named_with_its_container():
    workers = Workers(stat=fails(NotFoundError("Could not find the file /f")))
    with pytest.raises(NotFoundError, match=r"^Could not find the file /f in container web$"):
        await get_archive(workers, Place(42), "/f", name="web")
    workers = Workers(stat=fails(NotFoundError("process 42 has ended")))
    with pytest.raises(NotFoundError, match=r"^process 42 has ended$"):
        await get_archive(workers, Place(42), "/f", name="web")


async def test_what_the_worker_writes_is_what_is_sent():
    def pack(params, fds):
        os.write(fds[0], b"tar")
        return {"size": 3}

    before = open_files()
    _, pieces = await get_archive(Workers(stat=lambda params, fds: STAT, pack=pack), Place(42), "/f", name="web")
    assert b"".join([piece async for piece in pieces]) == b"tar"
    assert open_files() == before


async def test_a_worker_that_fails_in_the_middle_fails_the_stream():
    def pack(params, fds):
        os.write(fds[0], b"half")
        raise SystemFailureError("the disk is gone")

    before = open_files()
    _, pieces = await get_archive(Workers(stat=lambda params, fds: STAT, pack=pack), Place(42), "/f", name="web")
    with pytest.raises(SystemFailureError, match="the disk is gone"):
        [piece async for piece in pieces]
    assert open_files() == before


async def test_the_body_reaches_the_worker():
    seen = []

    def unpack(params, fds):
        seen.append(os.read(fds[0], 100))
        return {}

    before = open_files()
    await put(Workers(unpack=unpack))
    assert seen and b"xxxxxxxxxx".startswith(seen[0][:10])
    assert open_files() == before


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (SystemFailureError("[Errno 30] Read-only file system: 'f'"), InvalidParameterError, "container rootfs is marked read-only"),
        (InvalidParameterError("unexpected EOF"), InvalidParameterError, "unexpected EOF"),
        (NotFoundError("Could not find the file /tmp"), NotFoundError, "Could not find the file /tmp in container web"),
    ],
)
async def test_a_worker_that_refuses(error, kind, words):
    before = open_files()
    with pytest.raises(ArgosyError) as raised:
        await put(Workers(unpack=fails(error)))
    assert type(raised.value) is kind and str(raised.value) == words
    assert open_files() == before


async def test_read_only_places_are_refused_before_the_body_is_read():
    workers = Workers()
    with pytest.raises(InvalidParameterError, match="mounted volume is marked read-only"):
        await put(workers, Place(42, POINTS), "/data/x")
    with pytest.raises(InvalidParameterError, match="container rootfs is marked read-only"):
        await put(workers, Place(Directory("/x"), POINTS, read_only=True), "/tmp")
    assert workers.asked == []


async def test_a_cancelled_put_closes_its_pipe():
    class Never:
        async def run(self, *args, **more):
            await asyncio.Event().wait()

    before = open_files()
    for turns in range(4):
        task = asyncio.ensure_future(put(Never()))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    for _ in range(3):
        await asyncio.sleep(0)
    assert open_files() == before


def test_grafts_are_counted_from_the_end_and_images_come_last(tmp_path):
    seen = Mapped(Directory("/layers"), (), (), "part")
    place = Place(
        Directory("/root"),
        mounts=(
            MountPoint(type="image", destination="/b/deep", source="sha256:1"),
            MountPoint(type="image", destination="/a", source="sha256:2"),
            MountPoint(type="tmpfs", destination="/t"),
        ),
        views={"/b/deep": seen, "/a": seen},
    )
    with grafts(place) as given:
        assert (given.fds, given.views, given.mounts) == ([], [seen, seen], [(-2, "/a"), (-1, "/b/deep")])
    with grafts(Place(Mapped(7, (), ()), mounts=place.mounts, views=place.views)) as given:
        assert (given.fds, given.views, given.mounts) == ([], [], [])
