"""Bytes: logs, attach, archives, images, builds, published ports."""

import json
import subprocess
import time
from collections.abc import Iterator
from typing import Any

from payload import BIG_IMAGE, Payload
from target import IMAGE, Target
from wire import Wire

from measures import Round, measure

now = time.perf_counter
LARGE_LOG = {"Type": "json-file", "Config": {"max-size": "1g"}}


@measure("MB/s", "higher", rounds=3, heavy=True, parts={"read": ("MB/s", "higher"), "tail100": ("ms", "lower")})
def logs(engine: Target, payload: Payload) -> Iterator[Round]:
    """200 MB of 100-byte lines into a json-file log, reading them back, and the last 100 lines"""
    size = payload.lines_ready()

    def once() -> dict[str, float]:
        container = engine.create(["cat", "/mnt/lines.txt"], Binds=[f"{payload.lines.parent}:/mnt:ro"], LogConfig=LARGE_LOG)
        try:
            begun = now()
            engine.start(container)
            engine.wait(container)
            written = now()
            answer = Wire(engine.path).request("GET", f"/containers/{container}/logs?stdout=1&stderr=1", keep=False)
            read = now()
            if answer.size < size:
                raise RuntimeError(f"the log has {answer.size} bytes of {size}")
            Wire(engine.path).request("GET", f"/containers/{container}/logs?stdout=1&tail=100").expect(200)
            return {"": size / (written - begun) / 1e6, "read": size / (read - written) / 1e6, "tail100": (now() - read) * 1e3}
        finally:
            engine.remove(container)

    yield once


def _attached(engine: Target, payload: Payload, log: dict[str, Any], size: int) -> float:
    container = engine.create(["cat", "/mnt/lines.txt"], Binds=[f"{payload.lines.parent}:/mnt:ro"], LogConfig=log)
    try:
        stream, early = engine.wire.hijack(f"/containers/{container}/attach?stream=1&stdout=1&stderr=1")
        buffer, count = bytearray(1 << 18), len(early)
        begun = now()
        engine.start(container)
        while got := stream.recv_into(buffer):
            count += got
        spent = now() - begun
        stream.close()
        if count < size:
            raise RuntimeError(f"attach gave {count} bytes of {size}")
        return size / spent / 1e6
    finally:
        engine.remove(container)


@measure("MB/s", "higher", rounds=3, heavy=True, parts={"logged": ("MB/s", "higher")})
def attach(engine: Target, payload: Payload) -> Iterator[Round]:
    """attached to 200 MB of output, log driver none; the same with json-file"""
    size = payload.lines_ready()
    yield lambda: {"": _attached(engine, payload, {"Type": "none"}, size), "logged": _attached(engine, payload, LARGE_LOG, size)}


@measure("MB/s", "higher", rounds=3, heavy=True, parts={"get": ("MB/s", "higher")})
def archive(engine: Target, payload: Payload) -> Iterator[Round]:
    """200 MB (4,000 small and 16 big files) put into a stopped container, and taken out again"""
    size = payload.archive_ready()

    def once() -> dict[str, float]:
        container = engine.create(["true"])
        try:
            with payload.archive.open("rb") as file:
                begun = now()
                engine.wire.request("PUT", f"/containers/{container}/archive?path=/data", file, kind="application/x-tar", size=size).expect(
                    200
                )
            put = now()
            answer = Wire(engine.path).request("GET", f"/containers/{container}/archive?path=/data/pay", keep=False).expect(200)
            if answer.size < 0.95 * size:
                raise RuntimeError(f"the archive has {answer.size} bytes of {size}")
            return {"": size / (put - begun) / 1e6, "get": size / (now() - put) / 1e6}
        finally:
            engine.remove(container)

    yield once


@measure("s", rounds=3, heavy=True, parts={"save": ("s", "lower"), "delete": ("s", "lower")})
def load(engine: Target, payload: Payload) -> Iterator[Round]:
    """load of an image of 300 MB (3,000 small and 24 big files), its save, its deletion"""
    size = payload.big_image_ready()

    def once() -> dict[str, float]:
        with payload.big_image.open("rb") as file:
            begun = now()
            engine.wire.request("POST", "/images/load?quiet=1", file, kind="application/x-tar", size=size).expect(200)
        loaded = now()
        answer = Wire(engine.path).request("GET", f"/images/{BIG_IMAGE}/get", keep=False).expect(200)
        saved = now()
        if answer.size < 0.95 * size:
            raise RuntimeError(f"the saved image has {answer.size} bytes of {size}")
        engine.wire.request("DELETE", f"/images/{BIG_IMAGE}?force=1").expect(200)
        return {"": loaded - begun, "save": saved - loaded, "delete": now() - saved}

    engine.wire.request("DELETE", f"/images/{BIG_IMAGE}?force=1")
    yield once


def _build(engine: Target, payload: Payload, options: str) -> float:
    with payload.context.open("rb") as file:
        begun = now()
        route = f"/build?t=argosy-bench-built:latest&rm=1&forcerm=1&{options}"
        answer = Wire(engine.path).request("POST", route, file, kind="application/x-tar", size=payload.context.stat().st_size).expect(200)
        spent = now() - begun
    if b"errorDetail" in answer.body:
        raise RuntimeError(answer.body[-300:].decode(errors="replace"))
    return spent


@measure("s", rounds=3, heavy=True, parts={"cached": ("s", "lower")})
def build(engine: Target, payload: Payload) -> Iterator[Round]:
    """build of 12 instructions without the cache, and with it"""

    def once() -> dict[str, float]:
        fresh = _build(engine, payload, "nocache=1")
        _build(engine, payload, "")
        cached = _build(engine, payload, "")
        engine.wire.request("DELETE", "/images/argosy-bench-built:latest?force=1").expect(200)
        return {"": fresh, "cached": cached}

    yield once


@measure("ms", rounds=5)
def commit(engine: Target, payload: Payload) -> Iterator[Round]:
    """commit of a stopped container that wrote 50 MB in 5 files"""
    payload.lines_ready()
    script = "for i in 1 2 3 4 5; do head -c 10000000 /mnt/lines.txt > /data/f$i; done"

    def once() -> dict[str, float]:
        container = engine.run(["sh", "-c", script], Binds=[f"{payload.lines.parent}:/mnt:ro"])
        try:
            engine.wait(container)
            begun = now()
            engine.wire.request("POST", f"/commit?container={container}&repo=argosy-bench-commit&tag=latest", {}).expect(201)
            spent = now() - begun
        finally:
            engine.remove(container)
        engine.wire.request("DELETE", "/images/argosy-bench-commit:latest?force=1").expect(200)
        return {"": spent * 1e3}

    yield once


def _iperf(engine: Target, host: str, port: int) -> float:
    done = subprocess.run(engine.inside(["iperf3", "-c", host, "-p", str(port), "-t", "2", "-J"]), capture_output=True, text=True)
    result = json.loads(done.stdout or "{}")
    try:
        return float(result["end"]["sum_received"]["bits_per_second"]) / 1e9
    except KeyError:
        raise RuntimeError(f"iperf3 to {host}:{port}: {result.get('error', done.stderr)}") from None


@measure("Gbit/s", "higher", rounds=3, heavy=True, parts={"direct": ("Gbit/s", "higher"), "loopback": ("Gbit/s", "higher")})
def port(engine: Target, payload: Payload) -> Iterator[Round]:
    """iperf3 into a container by a published port, by its own address, and by the published port on 127.0.0.1"""
    bindings = {"5201/tcp": [{"HostIp": "", "HostPort": "15201"}]}
    container = engine.run(["iperf3", "-s"], "bridge", PortBindings=bindings, ExposedPorts={"5201/tcp": {}}, Image=IMAGE)
    try:
        time.sleep(0.5)
        view = engine.wire.request("GET", f"/containers/{container}/json").expect(200).json()["NetworkSettings"]["Networks"]
        network = next(iter(view.values()))
        yield lambda: {
            "": _iperf(engine, network["Gateway"], 15201),
            "direct": _iperf(engine, network["IPAddress"], 5201),
            "loopback": _iperf(engine, "127.0.0.1", 15201),
        }
    finally:
        engine.remove(container)
