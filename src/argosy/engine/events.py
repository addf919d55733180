"""``GET /events``: which events a client sees, and how one is written (moby ``daemon/events``)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from argosy.base.errors import InvalidParameterError
from argosy.base.events import Event, EventBus
from argosy.engine.filters import Filters, labels

_SECOND = 1_000_000_000
_NAMED = ("config", "container", "daemon", "network", "node", "plugin", "secret", "service", "volume")
"""Filters of that name match the start of the actor's id or name, for events of that type only."""
_WITH_ARGUMENT = ("exec_create", "exec_start", "health_status")
"""Actions that carry more after a colon; a filter on the bare word finds them."""


def wire(event: Event) -> dict[str, Any]:
    """Return the event as the API writes it, with the fields from before 1.22 where Docker still sends them."""
    message: dict[str, Any] = {}
    if event.type == "container":
        message = {"status": event.action, "id": event.actor_id, "from": event.attributes.get("image", "")}
        if not message["from"]:
            del message["from"]
    elif event.type == "image":
        message = {"status": event.action, "id": event.actor_id}
    message |= {
        "Type": event.type,
        "Action": event.action,
        "Actor": {"ID": event.actor_id, "Attributes": dict(sorted(event.attributes.items()))},
        "scope": event.scope,
        "time": event.time_ns // _SECOND,
        "timeNano": event.time_ns,
    }
    return message


def matcher(filters: Filters) -> Callable[[Event], bool]:
    """Return the test for these filters. One that nobody knows is ignored, as Docker does here."""

    def matches(event: Event) -> bool:
        return (
            _is(filters, "event", event.action, event.action.partition(":")[0] if event.action.startswith(_WITH_ARGUMENT) else "")
            and _is(filters, "type", event.type)
            and _is(filters, "scope", event.scope)
            and all(_named(filters, kind, event) for kind in _NAMED)
            and _image(filters, event)
            and labels(filters, event.attributes)
        )

    return matches


def _is(filters: Filters, key: str, *values: str) -> bool:
    wanted = filters.get(key)
    return not wanted or any(value in wanted for value in values if value)


def _named(filters: Filters, kind: str, event: Event) -> bool:
    wanted = filters.get(kind)
    if not wanted:
        return True
    values = (event.actor_id, event.attributes.get("name", ""))
    return event.type == kind and any(value.startswith(text) for text in wanted for value in values)


def _image(filters: Filters, event: Event) -> bool:
    wanted = filters.get("image")
    if not wanted:
        return True
    names = (event.actor_id, event.attributes.get("name" if event.type == "image" else "image", ""))
    return any(text in (name, _without_tag(name)) for name in names if name for text in wanted)


def _without_tag(reference: str) -> str:
    head, colon, tail = reference.rpartition(":")
    return head if colon and "/" not in tail else reference


def stream(bus: EventBus, *, since: int, until: int, filters: Filters, now: Callable[[], int]) -> AsyncIterator[Mapping[str, Any]]:
    """Return the events since then (from the bus's bounded history), and those to come until then, as the API writes them.

    Times in ns, 0: none; without ``until`` it never ends. Raises InvalidParameterError when they are the wrong way round.
    """
    if since and until and since > until:
        raise InvalidParameterError(f"`since` time ({since // _SECOND}) cannot be after `until` time ({until // _SECOND})")
    return _stream(bus, since, until, matcher(filters), now)


async def _stream(
    bus: EventBus, since: int, until: int, matches: Callable[[Event], bool], now: Callable[[], int]
) -> AsyncIterator[Mapping[str, Any]]:
    with bus.subscribe() as queue:
        # Subscribed first, history second: nothing is published between, as both happen in one step of the loop.
        past = [event for event in bus.history() if event.time_ns >= since] if since or until else []
        for event in past:
            if matches(event) and (not until or event.time_ns <= until):
                yield wire(event)
        while (event_ := await _next(queue, until, now)) is not None:
            if event_.time_ns and until and event_.time_ns > until:
                return
            if matches(event_):
                yield wire(event_)


async def _next(queue: asyncio.Queue[Event], until: int, now: Callable[[], int]) -> Event | None:
    """Return the next event, None when ``until`` has passed."""
    if not until:
        return await queue.get()
    try:
        return queue.get_nowait()
    except asyncio.QueueEmpty:
        pass
    remaining = (until - now()) / _SECOND
    if remaining <= 0:
        return None
    try:
        return await asyncio.wait_for(queue.get(), remaining)
    except TimeoutError:
        return None
