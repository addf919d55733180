"""``GET /events``: filters, shape, history, until."""

import asyncio

import pytest

from argosy.base.clock import ManualClock
from argosy.base.errors import InvalidParameterError
from argosy.base.events import Event, EventBus
from argosy.engine.events import matcher, stream, wire

ID = "c" * 64
CREATED = Event("container", "create", ID, {"image": "busybox:1", "name": "web", "tier": "front"}, 5_000_000_001)
EXEC = Event("container", "exec_create: sh -c x", ID, {"image": "busybox:1", "name": "web"})
HEALTH = Event("container", "health_status: healthy", ID, {"image": "img", "name": "web"})
PULL = Event("image", "pull", "busybox:latest", {"name": "busybox"})
CONNECT = Event("network", "connect", "n" * 64, {"container": ID, "name": "bridge", "type": "bridge"})


def test_a_containers_event_carries_the_old_fields_too():
    assert wire(CREATED) == {
        "status": "create",
        "id": ID,
        "from": "busybox:1",
        "Type": "container",
        "Action": "create",
        "Actor": {"ID": ID, "Attributes": {"image": "busybox:1", "name": "web", "tier": "front"}},
        "scope": "local",
        "time": 5,
        "timeNano": 5_000_000_001,
    }
    assert wire(PULL)["id"] == "busybox:latest" and "from" not in wire(PULL)
    assert "status" not in wire(CONNECT) and "id" not in wire(CONNECT)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, [CREATED, EXEC, HEALTH, PULL, CONNECT]),
        ({"type": ["image"]}, [PULL]),
        ({"event": ["create"]}, [CREATED]),
        ({"event": ["exec_create"]}, [EXEC]),
        ({"event": ["health_status"]}, [HEALTH]),
        ({"event": ["health_status: healthy"]}, [HEALTH]),
        ({"event": ["pull", "connect"]}, [PULL, CONNECT]),
        ({"container": ["web"]}, [CREATED, EXEC, HEALTH]),
        ({"container": [ID[:5]]}, [CREATED, EXEC, HEALTH]),
        ({"container": ["eb"]}, []),
        ({"network": ["bridge"]}, [CONNECT]),
        ({"type": ["network"], "container": [ID]}, []),
        ({"image": ["busybox:1"]}, [CREATED, EXEC]),
        ({"image": ["busybox"]}, [CREATED, EXEC, PULL]),
        ({"label": ["tier=front"]}, [CREATED]),
        ({"label": ["tier=back"]}, []),
        ({"scope": ["local"]}, [CREATED, EXEC, HEALTH, PULL, CONNECT]),
        ({"scope": ["swarm"]}, []),
        ({"daemon": ["x"]}, []),
        ({"nobody-knows": ["x"]}, [CREATED, EXEC, HEALTH, PULL, CONNECT]),
    ],
)
def test_filters(filters, found):
    matches = matcher(filters)
    assert [event for event in (CREATED, EXEC, HEALTH, PULL, CONNECT) if matches(event)] == found


async def collect(events):
    return [message["Action"] async for message in events]


async def test_history_between_since_and_until():
    clock = ManualClock()
    bus = EventBus(clock)
    start = clock.now_ns()
    for action in ("a", "b", "c", "d"):
        bus.publish("container", action, ID)
        clock.advance(1)
    second = 1_000_000_000
    seen = stream(bus, since=start + second, until=start + 2 * second, filters={}, now=clock.now_ns)
    assert await collect(seen) == ["b", "c"]


async def test_until_alone_gives_the_history_too():
    clock = ManualClock()
    bus = EventBus(clock)
    bus.publish("container", "a", ID)
    clock.advance(1)
    assert await collect(stream(bus, since=0, until=clock.now_ns(), filters={}, now=clock.now_ns)) == ["a"]


async def test_without_since_only_what_comes():
    clock = ManualClock()
    bus = EventBus(clock)
    bus.publish("container", "past", ID)
    events = stream(bus, since=0, until=0, filters={}, now=clock.now_ns)
    first = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)
    bus.publish("container", "now", ID)
    assert (await first)["Action"] == "now"
    await events.aclose()
    assert not bus._subscribers


async def test_it_ends_when_until_comes_with_nothing_happening():
    clock = ManualClock()
    bus = EventBus(clock)

    def now():
        clock.advance(1)
        return clock.now_ns()

    assert await collect(stream(bus, since=0, until=clock.now_ns() + 500_000_000, filters={}, now=now)) == []


def test_since_after_until_is_refused_at_once():
    with pytest.raises(InvalidParameterError, match=r"^`since` time \(9\) cannot be after `until` time \(8\)$"):
        stream(EventBus(ManualClock()), since=9_000_000_000, until=8_000_000_000, filters={}, now=lambda: 0)
