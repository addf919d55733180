"""The life of containers: one after the other, many at once, exec, stop, and the command line."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator

from payload import Payload
from target import IMAGE, Target
from wire import Wire

from measures import Round, measure

now = time.perf_counter
STEPS = {"create": ("ms", "lower"), "start": ("ms", "lower"), "wait": ("ms", "lower"), "remove": ("ms", "lower")}


def _life(engine: Target, network: str) -> Iterator[Round]:
    def once() -> dict[str, float]:
        times = [now()]
        container = engine.create(["true"], network)
        times.append(now())
        engine.start(container)
        times.append(now())
        code = engine.wait(container)
        times.append(now())
        engine.remove(container)
        times.append(now())
        if code:
            raise RuntimeError(f"`true` ended with {code}")
        steps = {name: (end - begin) * 1e3 for name, begin, end in zip(STEPS, times, times[1:])}
        return {"": (times[-1] - times[0]) * 1e3, **steps}

    yield once


@measure("ms", rounds=30, parts=STEPS)  # type: ignore[arg-type]
def run_none(engine: Target, payload: Payload) -> Iterator[Round]:
    """create + start + wait + remove of `true`, no network"""
    yield from _life(engine, "none")


@measure("ms", rounds=30, parts=STEPS)  # type: ignore[arg-type]
def run_bridge(engine: Target, payload: Payload) -> Iterator[Round]:
    """create + start + wait + remove of `true`, default bridge"""
    yield from _life(engine, "bridge")


@measure("ms", rounds=30)
def exec_true(engine: Target, payload: Payload) -> Iterator[Round]:
    """exec of `true` in a running container: create, start (hijacked, to its end), inspect"""
    container = engine.run(["sleep", "1000"])

    def once() -> dict[str, float]:
        begun = now()
        body = {"Cmd": ["true"], "AttachStdout": True, "AttachStderr": True}
        identity = engine.wire.request("POST", f"/containers/{container}/exec", body).expect(201).json()["Id"]
        stream, _ = engine.wire.hijack(f"/exec/{identity}/start", {"Detach": False, "Tty": False})
        while stream.recv(65536):
            pass
        stream.close()
        view = engine.wire.request("GET", f"/exec/{identity}/json").expect().json()
        if view["ExitCode"] != 0:
            raise RuntimeError(str(view))
        return {"": (now() - begun) * 1e3}

    try:
        yield once
    finally:
        engine.remove(container)


def burst(engine: Target, network: str, count: int = 50, width: int = 8) -> Iterator[Round]:
    def once() -> dict[str, float]:
        made: list[str] = []

        def one(wire: Wire) -> None:
            container = engine.create(["sleep", "1000"], network, wire)
            made.append(container)
            engine.start(container, wire)

        begun = now()
        try:
            engine.at_once(count, width, one)
            started = now()
        finally:
            engine.remove_all(list(made), width)
        return {"": count / (started - begun), "remove": count / (now() - started)}

    yield once


@measure("containers/s", "higher", rounds=3, heavy=True, parts={"remove": ("containers/s", "higher")})
def burst_none(engine: Target, payload: Payload) -> Iterator[Round]:
    """create + start of 50 containers by 8 clients, no network, and their forced removal"""
    yield from burst(engine, "none")


@measure("containers/s", "higher", rounds=3, heavy=True, parts={"remove": ("containers/s", "higher")})
def burst_bridge(engine: Target, payload: Payload) -> Iterator[Round]:
    """create + start of 50 containers by 8 clients, default bridge, and their forced removal"""
    yield from burst(engine, "bridge")


@measure("ms", rounds=15)
def stop_kill(engine: Target, payload: Payload) -> Iterator[Round]:
    """stop of a `sleep` whose stop signal is KILL, default bridge"""

    def once() -> dict[str, float]:
        container = engine.run(["sleep", "1000"], "bridge", StopSignal="SIGKILL")
        time.sleep(0.05)
        try:
            begun = now()
            engine.wire.request("POST", f"/containers/{container}/stop?t=5").expect(204)
            return {"": (now() - begun) * 1e3}
        finally:
            engine.remove(container)

    yield once


def _docker(engine: Target, *words: str) -> float:
    program = shutil.which("docker")
    if not program:
        raise RuntimeError("no docker CLI on PATH")
    begun = now()
    environ = {**os.environ, "DOCKER_HOST": f"unix://{engine.path}"}
    subprocess.run([program, *words], check=True, stdin=subprocess.DEVNULL, capture_output=True, env=environ)
    return (now() - begun) * 1e3


@measure("ms", rounds=9)
def cli_run_none(engine: Target, payload: Payload) -> Iterator[Round]:
    """official CLI: docker run --rm --network none"""
    yield lambda: {"": _docker(engine, "run", "--rm", "--network", "none", IMAGE, "true")}


@measure("ms", rounds=9)
def cli_run_bridge(engine: Target, payload: Payload) -> Iterator[Round]:
    """official CLI: docker run --rm"""
    yield lambda: {"": _docker(engine, "run", "--rm", IMAGE, "true")}


@measure("ms", rounds=9)
def cli_ps(engine: Target, payload: Payload) -> Iterator[Round]:
    """official CLI: docker ps"""
    yield lambda: {"": _docker(engine, "ps")}
