"""How fast the daemon answers, what it costs to have it, and small changes of state."""

import threading
import time
from collections.abc import Iterator

from payload import Payload
from target import Target
from wire import Wire

from measures import Round, measure

now = time.perf_counter


def _repeat(wire: Wire, route: str, count: int) -> list[float]:
    times = []
    for _ in range(count):
        begun = now()
        wire.request("GET", route).expect(200)
        times.append((now() - begun) * 1e3)
    return times


@measure("ms")
def ping(engine: Target, payload: Payload) -> Iterator[Round]:
    """_ping on a kept connection, 200 a round"""
    yield lambda: {"": _repeat(engine.wire, "/_ping", 200)}


@measure("ms")
def inspect(engine: Target, payload: Payload) -> Iterator[Round]:
    """inspect of a running container, 100 a round"""
    container = engine.run(["sleep", "1000"], "bridge")
    try:
        yield lambda: {"": _repeat(engine.wire, f"/containers/{container}/json", 100)}
    finally:
        engine.remove(container)


@measure("ms", rounds=3, parts={"requests_1": ("req/s", "higher"), "requests_4": ("req/s", "higher")})
def list100(engine: Target, payload: Payload) -> Iterator[Round]:
    """list of 100 containers; requests a second on 1 and on 4 connections"""
    made = [engine.create(["true"]) for _ in range(100)]
    route = "/containers/json?all=1"

    def once() -> dict[str, float | list[float]]:
        begun = now()
        alone = _repeat(engine.wire, route, 150)
        middle = now()
        threads = [threading.Thread(target=_repeat, args=(Wire(engine.path), route, 60)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {"": alone, "requests_1": 150 / (middle - begun), "requests_4": 240 / (now() - middle)}

    try:
        yield once
    finally:
        engine.remove_all(made)


@measure("ms", rounds=9, parts={"remove": ("ms", "lower")})
def network_create(engine: Target, payload: Payload) -> Iterator[Round]:
    """create of a bridge network, and its removal"""

    def once() -> dict[str, float]:
        begun = now()
        engine.wire.request("POST", "/networks/create", {"Name": "argosy-bench", "Driver": "bridge", "CheckDuplicate": True}).expect(201)
        made = now()
        engine.wire.request("DELETE", "/networks/argosy-bench").expect()
        return {"": (made - begun) * 1e3, "remove": (now() - made) * 1e3}

    yield once


@measure("ms", rounds=15)
def volume_create(engine: Target, payload: Payload) -> Iterator[Round]:
    """create + remove of a local volume"""

    def once() -> dict[str, float]:
        begun = now()
        engine.wire.request("POST", "/volumes/create", {"Name": "argosy-bench"}).expect(201)
        engine.wire.request("DELETE", "/volumes/argosy-bench").expect()
        return {"": (now() - begun) * 1e3}

    yield once


@measure("ms", rounds=5, heavy=True, needs_start=True)
def daemon_start(engine: Target, payload: Payload) -> Iterator[Round]:
    """daemon start to its first answer, without containers"""

    def once() -> dict[str, float]:
        engine.end()
        return {"": engine.launch() * 1e3}

    yield once


@measure("s", rounds=3, heavy=True, needs_start=True, parts={"killed": ("s", "lower")})
def restart_200(engine: Target, payload: Payload) -> Iterator[Round]:
    """start of the daemon, to its first answer, while 200 `sleep` run (live restore); the same after it was killed"""
    made: list[str] = []
    engine.at_once(200, 8, lambda wire: made.append(_sleeper(engine, wire)))

    def once() -> dict[str, float]:
        engine.end()
        stopped = engine.launch()
        _need_running(engine, 200)
        engine.kill()
        killed = engine.launch()
        _need_running(engine, 200)
        return {"": stopped, "killed": killed}

    try:
        yield once
    finally:
        engine.remove_all(made)


def _sleeper(engine: Target, wire: Wire) -> str:
    container = engine.create(["sleep", "10000"], "none", wire)
    engine.start(container, wire)
    return container


def _need_running(engine: Target, count: int) -> None:
    running = len(engine.wire.request("GET", "/containers/json").expect(200).json())
    if running != count:
        raise RuntimeError(f"{running} containers of {count} run after the restart")


@measure(
    "MiB",
    rounds=3,
    heavy=True,
    needs_start=True,
    parts={"idle_pss": ("MiB", "lower"), "container": ("MiB", "lower"), "container_bridge": ("MiB", "lower")},
)
def memory_idle(engine: Target, payload: Payload) -> Iterator[Round]:
    """RSS of all processes of a fresh daemon, their PSS, and PSS a running container (20 `sleep`, no network and bridge)"""

    def once() -> dict[str, float]:
        engine.end()
        engine.launch()
        time.sleep(2)
        idle = engine.memory()
        grown = {}
        for part, network in (("container", "none"), ("container_bridge", "bridge")):
            before = engine.memory()["Pss"]
            made = [engine.run(["sleep", "1000"], network) for _ in range(20)]
            time.sleep(1)
            grown[part] = (engine.memory()["Pss"] - before) / 20
            engine.remove_all(made)
        return {"": idle["Rss"], "idle_pss": idle["Pss"], **grown}

    yield once
