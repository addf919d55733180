"""`read_logs`: a log as the Engine API sends it, whole or followed."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

from argosy.engine.logs.query import LogQuery
from argosy.engine.logs.reader import Reader
from argosy.engine.logs.watch import POLL, LogWatch
from argosy.runtime.model import LogPlan

Flush = Callable[[], Awaitable[None]]


class Ended(Protocol):
    """The end of the container's present run; an asyncio.Event will do."""

    def is_set(self) -> bool: ...
    def wait(self) -> Awaitable[Any]: ...


def read_logs(
    plan: LogPlan,
    query: LogQuery,
    *,
    terminal: bool,
    ended: Ended | None = None,
    flush: Flush | None = None,
    watch: LogWatch | None = None,
    now: Callable[[], int] = time.time_ns,
) -> AsyncIterator[bytes]:
    """Return the log's bytes as the Engine API sends them; nothing is opened before the first is asked for.

    ``ended``: None when the container does not run, then ``follow`` ends at the end of the file. ``flush`` is awaited before the
    first read, and again after ``ended``, so that no output is missed. Raises InvalidParameterError without any stream asked for,
    NotImplementedInArgosyError for a driver that keeps nothing to read.
    """
    reader = Reader(plan, query, terminal=terminal)
    if query.follow and ended is not None:
        return _follow(reader, ended, flush, watch or LogWatch(), query.until, now)
    return _once(reader, flush)


async def _once(reader: Reader, flush: Flush | None) -> AsyncIterator[bytes]:
    if flush is not None:
        await flush()
    try:
        await reader.open()
        async for piece in reader.drain():
            yield piece
    finally:
        reader.close()


async def _follow(
    reader: Reader, ended: Ended, flush: Flush | None, watch: LogWatch, until: int, now: Callable[[], int]
) -> AsyncIterator[bytes]:
    changed = asyncio.Event()

    def on_change(created: bool) -> None:
        if created and reader.opened:
            reader.look_for_newer()
        changed.set()

    end = asyncio.ensure_future(ended.wait())
    end.add_done_callback(lambda _: changed.set())
    with watch.watching(reader.path, on_change) as told:
        try:
            if flush is not None:
                await flush()
            await reader.open()
            last = False
            while True:
                changed.clear()
                reader.look_for_newer()
                async for piece in reader.drain():
                    yield piece
                if last or reader.done or (until and now() > until):
                    return
                if ended.is_set():
                    # What was written before the end can be read after this; then one more round.
                    if flush is not None:
                        await flush()
                    last = True
                    continue
                await _wait(changed, None if told else POLL, (until - now()) / 1e9 if until else None)
        finally:
            end.cancel()
            reader.close()


async def _wait(changed: asyncio.Event, *limits: float | None) -> None:
    """Return after a change, or when the nearest limit is over."""
    timeout = min((max(limit, 0.001) for limit in limits if limit is not None), default=None)
    try:
        await asyncio.wait_for(changed.wait(), timeout)
    except TimeoutError:
        pass
