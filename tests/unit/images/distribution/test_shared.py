import asyncio

import pytest

from argosy.base.clock import ManualClock
from argosy.base.tasks import Supervisor
from argosy.images.distribution.claims import Claims
from argosy.images.distribution.progress import Board, Message, step
from argosy.images.distribution.shared import Shared


def ignore(message: Message) -> None:
    pass


async def test_work_wanted_twice_is_done_once_and_a_failure_is_everybodys() -> None:
    shared: Shared[int] = Shared(supervisor=Supervisor(), clock=ManualClock())
    begun = 0
    go = asyncio.Event()

    async def work(board: Board) -> int:
        nonlocal begun
        begun += 1
        await go.wait()
        if begun > 1:
            raise ValueError("again")
        return 7

    for expected in (7, None):
        waiting = [asyncio.ensure_future(shared.join("k", ignore, work)) for _ in range(3)]
        await asyncio.sleep(0)
        go.set()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert results == [7] * 3 if expected else all(isinstance(one, ValueError) for one in results)
    assert begun == 2


async def test_the_last_to_leave_ends_it_and_the_next_begins_anew() -> None:
    shared: Shared[None] = Shared(supervisor=Supervisor(), clock=ManualClock())
    begun, ended = 0, 0

    async def work(board: Board) -> None:
        nonlocal begun, ended
        begun += 1
        board.post(step("a", f"run {begun}"))
        try:
            await asyncio.Event().wait()
        finally:
            ended += 1

    first, second = (asyncio.ensure_future(shared.join("k", ignore, work)) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.wait([first])
    assert (begun, ended) == (1, 0)
    second.cancel()
    await asyncio.wait([second])
    assert (begun, ended) == (1, 1)
    seen: list[Message] = []
    third = asyncio.ensure_future(shared.join("k", seen.append, work))
    await asyncio.sleep(0.01)
    assert seen == [step("a", "run 2")]
    third.cancel()
    with pytest.raises(asyncio.CancelledError):
        await third


async def test_a_layer_is_waited_for_only_by_those_who_came_later() -> None:
    claims = Claims()
    with claims.claimed(["a", "b"]) as early:
        with claims.claimed(["b", "c"]) as late:
            await early.wait_for_others("b")
            await late.wait_for_others("c")
            waiting = asyncio.ensure_future(late.wait_for_others("b"))
            await asyncio.sleep(0)
            assert not waiting.done()
        assert not waiting.done()
    await waiting
