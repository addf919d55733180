"""Images over the wire, and how soon `_ping` is answered while the engine is busy with bytes."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import hub
import report
from payload import BIG_IMAGE, LAYERED, Payload
from target import Target
from wire import Wire

from measures import Round, measure

now = time.perf_counter
PINGER = Path(__file__).resolve().parent.parent / "pinger.py"
TAILS = {"p99": ("ms", "lower"), "max": ("ms", "lower")}


def _pinged(engine: Target, work: Callable[[], object]) -> dict[str, float | list[float]]:
    """Return the times of the pings while ``work`` ran."""
    command = [sys.executable, str(PINGER), engine.path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as pinger:
        assert pinger.stdin and pinger.stdout
        pinger.stdout.readline()
        try:
            work()
        finally:
            pinger.stdin.close()
            times: list[float] = json.loads(pinger.stdout.read() or "[]")
    if not times:
        raise RuntimeError("no ping was answered")
    return {"": times, "p99": report.p99(times), "max": max(times)}


def _forget(engine: Target, name: str) -> None:
    engine.wire.request("DELETE", f"/images/{name}?force=1").expect(200, 404)


def _load(engine: Target, archive: Path) -> None:
    with archive.open("rb") as file:
        engine.wire.request("POST", "/images/load?quiet=1", file, kind="application/x-tar", size=archive.stat().st_size).expect(200)


def _transfer(engine: Target, route: str) -> None:
    anonymous = {"X-Registry-Auth": "e30="}
    answer = Wire(engine.path).request("POST", route, headers=anonymous).expect(200)
    if b'"error' in answer.body:
        raise RuntimeError(answer.body[-300:].decode(errors="replace"))


@measure("ms", rounds=3, heavy=True, parts=TAILS)  # type: ignore[arg-type]
def ping_load(engine: Target, payload: Payload) -> Iterator[Round]:
    """_ping every 5 ms during the load of an image of 300 MB: all times, each round's p99 and longest"""
    payload.big_image_ready()

    def once() -> dict[str, float | list[float]]:
        seen = _pinged(engine, lambda: _load(engine, payload.big_image))
        _forget(engine, BIG_IMAGE)
        return seen

    yield once


@measure("ms", rounds=3, heavy=True, parts=TAILS)  # type: ignore[arg-type]
def ping_pull(engine: Target, payload: Payload) -> Iterator[Round]:
    """_ping every 5 ms during a pull of 300 MB in 8 layers"""
    payload.layered_ready()
    with hub.serving(engine, payload.registry) as address:
        name = f"{address}/{LAYERED}"
        _forget(engine, name)

        def once() -> dict[str, float | list[float]]:
            seen = _pinged(engine, lambda: _transfer(engine, f"/images/create?fromImage={name}&tag=latest"))
            _forget(engine, name)
            return seen

        yield once


@measure("ms", rounds=3, heavy=True, parts=TAILS)  # type: ignore[arg-type]
def ping_build(engine: Target, payload: Payload) -> Iterator[Round]:
    """_ping every 5 ms during a build of 12 instructions without the cache"""

    def build() -> None:
        with payload.context.open("rb") as file:
            route, size = "/build?t=argosy-bench-built:latest&nocache=1&rm=1", payload.context.stat().st_size
            answer = Wire(engine.path).request("POST", route, file, kind="application/x-tar", size=size).expect(200)
        if b"errorDetail" in answer.body:
            raise RuntimeError(answer.body[-300:].decode(errors="replace"))

    def once() -> dict[str, float | list[float]]:
        seen = _pinged(engine, build)
        _forget(engine, "argosy-bench-built:latest")
        return seen

    yield once


@measure("ms", rounds=5, heavy=True, parts=TAILS)  # type: ignore[arg-type]
def ping_commit(engine: Target, payload: Payload) -> Iterator[Round]:
    """_ping every 5 ms during the commit of a container that wrote 200 MB"""
    payload.lines_ready()
    container = engine.run(["cp", "/mnt/lines.txt", "/data/lines"], Binds=[f"{payload.lines.parent}:/mnt:ro"])
    route = f"/commit?container={container}&repo=argosy-bench-commit&tag=latest"
    try:
        engine.wait(container)

        def once() -> dict[str, float | list[float]]:
            seen = _pinged(engine, lambda: engine.wire.request("POST", route, {}).expect(201))
            _forget(engine, "argosy-bench-commit:latest")
            return seen

        yield once
    finally:
        engine.remove(container)


@measure("s", rounds=3, heavy=True, parts={"memory": ("MiB", "lower")})
def pull(engine: Target, payload: Payload) -> Iterator[Round]:
    """pull of an image of 300 MB in 8 layers from a docker-registry on loopback; RSS of all the daemon's processes 2 s after it"""
    payload.layered_ready()
    with hub.serving(engine, payload.registry) as address:
        name = f"{address}/{LAYERED}"
        _forget(engine, name)

        def once() -> dict[str, float]:
            begun = now()
            _transfer(engine, f"/images/create?fromImage={name}&tag=latest")
            spent = now() - begun
            _forget(engine, name)
            time.sleep(2)
            return {"": spent, "memory": engine.memory()["Rss"]}

        yield once


@measure("s", rounds=3, heavy=True)
def push(engine: Target, payload: Payload) -> Iterator[Round]:
    """push of that image, loaded from plain tars, to an empty docker-registry on loopback"""
    payload.layered_ready()
    _load(engine, payload.layered)
    numbers = iter(range(1000))
    try:

        def once() -> dict[str, float]:
            with hub.serving(engine) as address:
                name = f"{address}/bench/pushed{next(numbers)}"
                engine.wire.request("POST", f"/images/{LAYERED}/tag?repo={name}&tag=latest").expect(201)
                try:
                    begun = now()
                    _transfer(engine, f"/images/{name}/push?tag=latest")
                    return {"": now() - begun}
                finally:
                    _forget(engine, name)

        yield once
    finally:
        _forget(engine, LAYERED)
