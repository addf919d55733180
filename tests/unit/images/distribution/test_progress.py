import asyncio

import pytest

from argosy.base.clock import ManualClock
from argosy.images.distribution.progress import Board, Message, Watch, bar, step, stream


def test_bars_are_dockers() -> None:
    assert bar(36445, 2001757) == "[>                                                  ]  36.45kB/2.002MB"
    assert bar(2001757, 2001757) == "[==================================================>]  2.002MB/2.002MB"
    assert bar(94, 94) == "[==================================================>]      94B/94B"
    assert bar(512, 5) == "[==================================================>]     512B"
    assert bar(7, 0) == "      7B"


def test_bytes_are_told_ten_times_a_second_and_at_the_end() -> None:
    clock = ManualClock()
    board, seen = Board(clock), list[Message]()
    with board.watched(seen.append):
        for current in range(0, 100, 10):
            board.amount("a", "Downloading", current, 100)
            clock.advance(0.04)
        board.amount("a", "Downloading", 100, 100)
    assert [message["progressDetail"]["current"] for message in seen] == [0, 30, 60, 90, 100]


def test_who_comes_later_sees_where_each_layer_stands() -> None:
    board, seen = Board(ManualClock()), list[Message]()
    for status in ("Pulling fs layer", "Waiting"):
        board.post(step("a", status))
    with board.watched(seen.append):
        pass
    board.post(step("a", "Pull complete"))
    assert seen == [step("a", "Waiting")]


async def test_a_slow_reader_gets_the_newest_bytes_only() -> None:
    async def work(watch: Watch) -> None:
        board = Board(ManualClock())
        with board.watched(watch):
            for total in range(1, 100):
                board.amount("a", "Downloading", total, total)
            board.post(step("a", "Download complete"))

    assert [message["status"] async for message in stream(work)] == ["Downloading", "Download complete"]


async def test_a_failure_comes_after_what_was_told() -> None:
    async def work(watch: Watch) -> None:
        watch({"status": "first"})
        raise ValueError("x")

    seen = []
    with pytest.raises(ValueError, match="x"):
        async for message in stream(work):
            seen.append(message)
    assert seen == [{"status": "first"}]


async def test_who_stops_reading_ends_the_work() -> None:
    ended = asyncio.Event()

    async def work(watch: Watch) -> None:
        watch({"status": "first"})
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    messages = stream(work)
    assert await anext(messages) == {"status": "first"}
    await messages.aclose()  # type: ignore[attr-defined]
    assert ended.is_set()
