"""The event bus: what happened, in Docker's words, with a bounded history for ``--since``.

Engine API ``GET /events``; the ring holds 256 events as dockerd's does, so that ``since`` works alike.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from argosy.base.clock import Clock

HISTORY = 256


@dataclass(frozen=True, slots=True)
class Event:
    type: str
    """``container``, ``image``, ``volume``, ``network``, ``daemon``, ``builder``, …"""
    action: str
    """``create``, ``start``, ``exec_create: sh -c …``, ``health_status: healthy``, …"""
    actor_id: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    time_ns: int = 0
    scope: str = "local"


class EventBus:
    """Fan-out to subscribers; a slow subscriber loses nothing, its queue grows until it leaves."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._history: deque[Event] = deque(maxlen=HISTORY)
        self._subscribers: set[asyncio.Queue[Event]] = set()

    def publish(self, type: str, action: str, actor_id: str, attributes: Mapping[str, str] | None = None) -> Event:
        event = Event(type, action, actor_id, dict(attributes or {}), self._clock.now_ns())
        self._history.append(event)
        for queue in self._subscribers:
            queue.put_nowait(event)
        return event

    def history(self) -> tuple[Event, ...]:
        """Return the last events, oldest first."""
        return tuple(self._history)

    @contextmanager
    def subscribe(self) -> Iterator[asyncio.Queue[Event]]:
        """Yield a queue that receives every event published while the block runs."""
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self._subscribers.add(queue)
        try:
            yield queue
        finally:
            self._subscribers.discard(queue)


async def drain(queue: asyncio.Queue[Event]) -> AsyncIterator[Event]:
    """Yield events for ever; the caller cancels."""
    while True:
        yield await queue.get()
