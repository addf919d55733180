import asyncio

import pytest

from argosy.base.tasks import Supervisor
from argosy.build.cache.shared import Shared


async def test_work_under_one_key_is_done_once_and_everybody_hears_it():
    shared, done, heard = Shared(Supervisor()), [], ([], [])
    gate = asyncio.Event()

    async def work(told):
        done.append(1)
        told(1, b"begun")
        await gate.wait()
        told(2, b"ended")
        return "value"

    first = asyncio.ensure_future(shared.run("k", work, lambda *said: heard[0].append(said)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second = asyncio.ensure_future(shared.run("k", work, lambda *said: heard[1].append(said)))
    await asyncio.sleep(0)
    gate.set()
    assert await asyncio.gather(first, second) == ["value", "value"]
    assert done == [1]
    assert heard[0] == heard[1] == [(1, b"begun"), (2, b"ended")]


async def test_work_goes_on_while_one_waits_and_ends_with_the_last():
    shared, ended = Shared(Supervisor()), []

    async def work(told):
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    waiting = [asyncio.ensure_future(shared.run("k", work, lambda *_: None)) for _ in range(2)]
    for _ in range(3):
        await asyncio.sleep(0)
    waiting[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting[0]
    assert ended == []
    waiting[1].cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting[1]
    assert ended == [1]


async def test_a_failure_reaches_all_and_the_next_tries_again():
    shared, tries = Shared(Supervisor()), []

    async def work(told):
        tries.append(1)
        await asyncio.sleep(0)
        raise ValueError("no")

    outcomes = await asyncio.gather(*(shared.run("k", work, lambda *_: None) for _ in range(2)), return_exceptions=True)
    assert [str(error) for error in outcomes] == ["no", "no"] and tries == [1]
    with pytest.raises(ValueError):
        await shared.run("k", work, lambda *_: None)
    assert tries == [1, 1]
