"""The messages of a pull or push, as Docker writes them (moby ``pkg/progress``, ``pkg/streamformatter``), and who sees them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from argosy.base.clock import Clock
from argosy.base.units import human_size

Message = Mapping[str, Any]
Watch = Callable[[Message], None]
INTERVAL = 0.1
"""Seconds between two messages of bytes about one layer."""


def step(name: str, status: str) -> Message:
    """Return the message of a layer's new state."""
    return {"status": status, "progressDetail": {}, "id": name}


def amount(name: str, status: str, current: int, total: int) -> Message:
    """Return the message of a layer's bytes."""
    return {"status": status, "progressDetail": {"current": current, "total": total}, "progress": bar(current, total), "id": name}


def bar(current: int, total: int) -> str:
    """Return ``[===>    ]  12MB/80MB`` (moby ``pkg/jsonmessage`` at 200 columns)."""
    shown = f"{human_size(current):>8}"
    if total <= 0:
        return shown
    done = min(50, int(current / total * 50))
    drawn = "=" * done + ">" + " " * (50 - done)
    return f"[{drawn}] {shown}" + (f"/{human_size(total)}" if current <= total else "")


class Board:
    """What is known of some layers, for all who watch; who comes later is told where each stands."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._watches: list[Watch] = []
        self._state: dict[str, Message] = {}
        self._told: dict[tuple[str, str], float] = {}

    def post(self, message: Message) -> None:
        """Show a message now."""
        self._state[message["id"]] = message
        for watch in self._watches:
            watch(message)

    def amount(self, name: str, status: str, current: int, total: int) -> None:
        """Show bytes, but not more often than every `INTERVAL`; the last ones always."""
        now = self._clock.monotonic()
        key = (name, status)
        if current >= total or now - self._told.get(key, float("-inf")) >= INTERVAL:
            self._told[key] = now
            self.post(amount(name, status, current, total))

    @contextmanager
    def watched(self, watch: Watch) -> Iterator[None]:
        """Call ``watch`` with what there is, and with all that comes while the block runs."""
        for message in self._state.values():
            watch(message)
        self._watches.append(watch)
        try:
            yield
        finally:
            self._watches.remove(watch)


async def stream(work: Callable[[Watch], Coroutine[Any, Any, None]]) -> AsyncIterator[Message]:
    """Run ``work`` and yield what it tells; bytes that a slow reader has not taken yet give way to newer ones.

    Closing the iterator cancels the work and waits for it. Raises what the work raises.
    """
    waiting: list[Message] = []
    ready = asyncio.Event()

    def tell(message: Message) -> None:
        if waiting and message.get("progressDetail") and _same_bytes(waiting[-1], message):
            waiting.pop()
        waiting.append(message)
        ready.set()

    # Not in a TaskGroup: it would wrap a generator's GeneratorExit in a group.
    task = asyncio.ensure_future(work(tell))
    task.add_done_callback(lambda _: ready.set())
    try:
        while waiting or not task.done():
            await ready.wait()
            ready.clear()
            while waiting:
                yield waiting.pop(0)
        await task
    finally:
        task.cancel()
        await asyncio.wait([task])


def _same_bytes(before: Message, message: Message) -> bool:
    return bool(before.get("progressDetail")) and before.get("id") == message["id"] and before["status"] == message["status"]
