"""Reading whole logs, their ends, and following them while they are written, rotated, compressed and ended."""

import asyncio
import gzip
import json
import os

import pytest

from argosy.base.errors import InvalidParameterError, NotImplementedInArgosyError
from argosy.engine.logs import LogQuery, LogWatch, Past, read_logs
from argosy.engine.logs import read as following
from argosy.engine.logs import reader as reading
from argosy.engine.logs import watch as watching
from argosy.engine.logs.query import fixed
from argosy.runtime.logs.local import frame as local_frame
from argosy.runtime.model import LogPlan

START = 1_700_000_000_000_000_001


def line(text, number=0, stream="stdout"):
    return json.dumps({"log": text, "stream": stream, "time": fixed(START + number)}).encode() + b"\n"


def lines(first, last):
    return b"".join(line(f"{number}\n", number) for number in range(first, last))


def expected(first, last):
    return b"".join(b"%d\n" % number for number in range(first, last))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x-json.log"


def logs(path, *, driver="json-file", ended=None, flush=None, watch=None, **query):
    return read_logs(LogPlan(driver, str(path)), LogQuery(**query), terminal=True, ended=ended, flush=flush, watch=watch)


async def collect(stream):
    return b"".join([piece async for piece in stream])


def open_files():
    return len(os.listdir("/proc/self/fd"))


class Writer:
    """The shim's side: append, rotate by renaming, compress, truncate."""

    def __init__(self, path):
        self.path = path
        self.number = 0

    def write(self, count=1):
        with open(self.path, "ab") as file:
            file.write(lines(self.number, self.number + count))
        self.number += count

    def rotate(self, keep=2, compress=False):
        for index in range(keep - 1, 0, -1):
            for suffix in ("", ".gz"):
                source = f"{self.path}.{index}{suffix}"
                if os.path.exists(source):
                    os.rename(source, f"{self.path}.{index + 1}{suffix}")
        os.rename(self.path, f"{self.path}.1")
        if compress:
            content = open(f"{self.path}.1", "rb").read()
            with gzip.open(f"{self.path}.1.gz", "wb") as file:
                file.write(content)
            os.unlink(f"{self.path}.1")
        open(self.path, "wb").close()


class Follower:
    """Reads in the background until the container ends."""

    def __init__(self, path, **query):
        self.ended = asyncio.Event()
        self.text = b""
        self.got = asyncio.Event()
        self.flushed = 0
        self.task = asyncio.ensure_future(self._read(path, query))

    async def _read(self, path, query):
        async for piece in logs(path, follow=True, ended=self.ended, flush=self._flush, **query):
            self.text += piece
            self.got.set()

    async def _flush(self):
        self.flushed += 1

    async def until(self, text):
        async with asyncio.timeout(20):
            while not self.text.endswith(text):
                self.got.clear()
                await self.got.wait()

    async def end(self):
        self.ended.set()
        async with asyncio.timeout(20):
            await self.task
        return self.text


@pytest.mark.parametrize(
    ("driver", "query", "error"),
    [
        ("none", {}, NotImplementedInArgosyError),
        ("syslog", {}, NotImplementedInArgosyError),
        ("json-file", {"stdout": False, "stderr": False}, InvalidParameterError),
    ],
)
async def test_what_cannot_be_read_is_refused_before_anything_is_sent(path, driver, query, error):
    with pytest.raises(error):
        logs(path, driver=driver, **query)


async def test_a_log_that_was_never_written_is_empty(path):
    assert await collect(logs(path)) == b""
    assert await collect(logs(path, tail=5)) == b""
    assert await collect(logs(path, since=START)) == b""


@pytest.mark.parametrize("compress", [False, True])
async def test_rotated_files_come_first_oldest_first(path, compress):
    writer = Writer(path)
    for _ in range(4):
        writer.write(10)
        writer.rotate(keep=3, compress=compress)
    writer.write(5)
    before = open_files()
    assert await collect(logs(path)) == expected(10, 45)
    assert open_files() == before


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize(("tail", "first"), [(0, 45), (1, 44), (5, 40), (6, 39), (17, 28), (35, 10), (99, 10)])
async def test_tail_reaches_back_into_rotated_files(path, compress, tail, first):
    writer = Writer(path)
    for _ in range(4):
        writer.write(10)
        writer.rotate(keep=3, compress=compress)
    writer.write(5)
    assert await collect(logs(path, tail=tail)) == expected(first, 45)


async def test_an_archive_cut_short_gives_what_it_holds(path):
    with gzip.open(f"{path}.1.gz", "wb") as file:
        file.write(lines(0, 5000))
    size = os.path.getsize(f"{path}.1.gz")
    os.truncate(f"{path}.1.gz", size // 2)
    path.write_bytes(lines(5000, 5001))
    text = await collect(logs(path))
    assert text.startswith(b"0\n1\n") and text.endswith(b"5000\n")


async def test_tail_is_counted_before_since_and_until(path):
    path.write_bytes(lines(0, 10))
    assert await collect(logs(path, tail=3, until=START + 8)) == expected(7, 9)
    assert await collect(logs(path, tail=3, until=START + 2)) == b""
    assert await collect(logs(path, tail=3, since=START + 9)) == expected(9, 10)


async def test_since_skips_whole_files_by_their_last_write(path):
    writer = Writer(path)
    writer.write(10)
    os.utime(path, ns=(START, START + 10))
    writer.rotate()
    writer.write(10)
    assert await collect(logs(path, since=START + 15)) == expected(15, 20)


async def test_a_line_longer_than_a_piece_is_read_whole(path):
    text = "x" * (3 * reading.PIECE)
    path.write_bytes(line("a\n") + line(text + "\n", 1) + line("b\n", 2))
    assert await collect(logs(path)) == b"a\n" + text.encode() + b"\nb\n"


async def test_flush_is_awaited_before_the_first_read(path):
    async def flush():
        path.write_bytes(lines(0, 3))

    assert await collect(logs(path, flush=flush)) == expected(0, 3)


async def test_follow_of_a_stopped_container_ends(path):
    path.write_bytes(lines(0, 3))
    assert await collect(logs(path, follow=True)) == expected(0, 3)


async def test_follow_sends_what_is_written_and_ends_with_the_container(path):
    writer = Writer(path)
    writer.write(3)
    before = open_files()
    follower = Follower(path)
    await follower.until(expected(0, 3))
    writer.write()
    await follower.until(b"3\n")
    writer.write(2)
    assert await follower.end() == expected(0, 6)
    assert follower.flushed == 2
    assert open_files() == before


async def test_follow_waits_for_the_rest_of_a_line(path):
    path.write_bytes(lines(0, 1))
    follower = Follower(path)
    await follower.until(b"0\n")
    whole = lines(1, 2)
    with open(path, "ab", buffering=0) as file:
        file.write(whole[:10])
        await asyncio.sleep(0)
        file.write(whole[10:])
    await follower.until(b"1\n")
    assert await follower.end() == expected(0, 2)


async def test_follow_of_a_log_that_does_not_exist_yet(path):
    follower = Follower(path)
    await asyncio.sleep(0)
    writer = Writer(path)
    writer.write(2)
    await follower.until(b"1\n")
    assert await follower.end() == expected(0, 2)


async def test_follow_with_tail_begins_there(path):
    writer = Writer(path)
    writer.write(9)
    follower = Follower(path, tail=1)
    await follower.until(b"8\n")
    writer.write()
    await follower.until(b"9\n")
    assert await follower.end() == b"8\n9\n"


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("seen", [True, False])
async def test_follow_loses_nothing_at_rotations(path, compress, seen):
    """``seen``: the follower runs between two rotations; otherwise several happen while it cannot."""
    writer = Writer(path)
    writer.write(5)
    follower = Follower(path)
    await follower.until(b"4\n")
    for _ in range(6):
        writer.write(3)
        writer.rotate(keep=9, compress=compress)
        writer.write(2)
        if seen:
            await follower.until(b"%d\n" % (writer.number - 1))
    writer.write(1)
    assert await follower.end() == expected(0, writer.number)


async def test_follow_goes_on_after_the_file_was_emptied_in_place(path):
    writer = Writer(path)
    writer.write(50)
    follower = Follower(path)
    await follower.until(b"49\n")
    os.truncate(path, 0)
    writer.write(60)
    await follower.until(b"109\n")
    assert await follower.end() == expected(0, 110)


async def test_a_slow_follower_keeps_rotated_files_open(path):
    """The client stalls while everything is rotated away: what it had not read is still there for it."""
    writer = Writer(path)
    writer.write(3)
    ended = asyncio.Event()
    stream = logs(path, follow=True, ended=ended)
    text = await anext(stream)
    for _ in range(5):
        writer.write(3)
        writer.rotate(keep=2)
        for _ in range(3):  # lets the loop see the event, as a stalled client's daemon would
            await asyncio.sleep(0)
    ended.set()
    text += await collect(stream)
    assert text == expected(0, 18)


async def test_follow_without_inotify_looks_by_itself(path, monkeypatch):
    def refuse(self):
        raise OSError(24, "too many instances")

    monkeypatch.setattr(watching.Inotify, "__init__", refuse)
    monkeypatch.setattr(following, "POLL", 0.001)
    writer = Writer(path)
    writer.write(1)
    follower = Follower(path)
    await follower.until(b"0\n")
    writer.write(1)
    writer.rotate()
    writer.write(1)
    await follower.until(b"2\n")
    assert await follower.end() == expected(0, 3)


async def test_follow_ends_when_until_has_passed(path):
    path.write_bytes(lines(0, 5))
    text = await collect(logs(path, follow=True, ended=asyncio.Event(), until=START + 2))
    assert text == expected(0, 3)


async def test_many_followers_share_one_inotify(path):
    path.write_bytes(lines(0, 1))
    before = open_files()
    watch = LogWatch()
    followers = [Follower(path, watch=watch) for _ in range(20)]
    for follower in followers:
        await follower.until(b"0\n")
    assert open_files() == before + 21
    Writer(path).write(1)
    with open(path, "ab") as file:
        file.write(lines(1, 2))
    for follower in followers:
        assert (await follower.end()).endswith(b"1\n")
    assert open_files() == before


async def test_a_cancelled_follower_leaves_nothing_open(path):
    path.write_bytes(lines(0, 1))
    before = open_files()
    follower = Follower(path)
    await follower.until(b"0\n")
    follower.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await follower.task
    await asyncio.sleep(0)
    assert open_files() == before


async def test_a_local_log_is_read_and_followed(path):
    path.write_bytes(local_frame(1, 0, START, b"a\nb\n"))
    follower = Follower(path, driver="local")
    await follower.until(b"b\n")
    with open(path, "ab") as file:
        file.write(local_frame(2, 0, START + 9, b"c\n"))
    await follower.until(b"c\n")
    assert await follower.end() == b"a\nb\nc\n"
    assert await collect(logs(path, driver="local", tail=2)) == b"b\nc\n"
    assert await collect(logs(path, driver="local", since=START + 1)) == b"b\nc\n"


def past(path, driver="json-file"):
    return Past(LogPlan(driver, str(path)), LogQuery(), terminal=True)


@pytest.mark.parametrize("driver", ["json-file", "local"])
async def test_the_past_is_read_on_where_it_stopped(path, driver):
    def write(first, last):
        with open(path, "ab") as file:
            numbers = range(first, last)
            file.write(lines(first, last) if driver == "json-file" else b"".join(local_frame(1, 0, n + 1, b"%d\n" % n) for n in numbers))

    write(0, 100)
    reading_on = past(path, driver)
    assert reading_on.unread() == path.stat().st_size
    assert await collect(reading_on.pieces()) == expected(0, 100)
    assert reading_on.unread() == 0
    write(100, 130)
    path.rename(f"{path}.1")
    write(130, 150)
    assert reading_on.unread() > 0
    assert await collect(reading_on.pieces()) == expected(100, 150)
    assert not reading_on.lapped
    reading_on.close()


async def test_who_stops_in_the_middle_goes_on_there(path):
    path.write_bytes(lines(0, 5000))
    reading_on = past(path)
    pieces = reading_on.pieces()
    text = await anext(pieces)
    await pieces.aclose()
    assert text + await collect(reading_on.pieces()) == expected(0, 5000)
    reading_on.close()


@pytest.mark.parametrize("packed", [True, False])
async def test_a_file_that_was_packed_meanwhile_is_not_lost(path, packed):
    writer = Writer(path)
    writer.write(10)
    reading_on = past(path)
    text = await collect(reading_on.pieces())
    writer.write(10)
    writer.rotate(compress=packed)
    writer.write(10)
    text += await collect(reading_on.pieces())
    assert text == expected(0, 30)
    assert not reading_on.lapped
    reading_on.close()


async def test_a_file_that_was_removed_unread_is_noticed(path):
    writer = Writer(path)
    writer.write(10)
    reading_on = past(path)
    await collect(reading_on.pieces())
    for _ in range(3):
        writer.rotate()
        writer.write(10)
    for number in (1, 2):
        os.unlink(f"{path}.{number}")
    await collect(reading_on.pieces())
    assert reading_on.lapped
    reading_on.close()


async def test_a_file_that_was_emptied_is_noticed(path):
    path.write_bytes(lines(0, 10))
    reading_on = past(path)
    await collect(reading_on.pieces())
    path.write_bytes(lines(50, 90))
    await collect(reading_on.pieces())
    assert reading_on.lapped
    reading_on.close()


def test_moments_that_no_calendar_has_are_drawn_to_its_ends() -> None:
    assert fixed(-1_827_485_262_814 * 10**9) == "1970-01-01T00:00:00.000000000Z"
    assert fixed(10**30).startswith("9999-12-31T23:59:59")
