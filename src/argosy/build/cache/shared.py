"""Work that two builds want at once is done once: one does it, the others wait and hear what it says.

The work belongs to no one build: it goes on while anybody waits for it, and is cancelled when the last has left.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from argosy.base.tasks import Supervisor

T = TypeVar("T")
Heard = Callable[[int, bytes], None]
_KEPT = 1 << 20


class _Work(Generic[T]):
    def __init__(self) -> None:
        self.waiting = 0
        self.listeners: list[Heard] = []
        self.said: list[tuple[int, bytes]] = []
        self.size = 0
        self.task: asyncio.Task[tuple[list[T], Exception | None]] | None = None

    def hear(self, stream: int, data: bytes) -> None:
        if self.size < _KEPT:
            self.said.append((stream, data))
            self.size += len(data)
        for listener in tuple(self.listeners):
            listener(stream, data)


class Shared(Generic[T]):
    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._works: dict[str, _Work[T]] = {}

    async def run(self, key: str, work: Callable[[Heard], Awaitable[T]], heard: Heard) -> T:
        """Return what ``work`` returns or raise what it raises; work that goes on under that key already is joined."""
        found = self._works.get(key)
        if found is None or found.task is None or found.task.done():
            found = self._works[key] = _Work()
            found.task = self._supervisor.spawn(self._do(key, found, work), name=f"build step {key[:12]}")
        for stream, data in found.said:
            heard(stream, data)
        found.listeners.append(heard)
        found.waiting += 1
        assert found.task is not None
        try:
            values, error = await asyncio.shield(found.task)
        finally:
            found.waiting -= 1
            found.listeners.remove(heard)
            if not found.waiting and not found.task.done():
                found.task.cancel()
                await asyncio.wait([found.task])
        if error is not None:
            raise error
        return values[0]

    async def _do(self, key: str, mine: _Work[T], work: Callable[[Heard], Awaitable[T]]) -> tuple[list[T], Exception | None]:
        """A failure is for those who wait, and no news for the log."""
        try:
            return [await work(mine.hear)], None
        except Exception as error:
            return [], error
        finally:
            if self._works.get(key) is mine:
                del self._works[key]
