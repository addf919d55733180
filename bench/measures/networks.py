"""Networks of one's own: containers that join and leave, many at once, and names."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator

from payload import Payload
from target import Target

from measures import Round, measure
from measures.life import burst

now = time.perf_counter
NETWORK = "argosy-bench-net"
ASKER = """
import json, socket, struct, sys, time
name = sys.argv[1]
question = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + bytes(1) + struct.pack("!HH", 1, 1)
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(5)
sock.connect(("127.0.0.11", 53))
times = []
for number in range(600):
    begun = time.perf_counter()
    sock.send(struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + question)
    reply = sock.recv(4096)
    times.append((time.perf_counter() - begun) * 1e3)
    assert reply[3] & 15 == 0 and reply[6:8] == bytes([0, 1]), reply
print(json.dumps(times[100:]))
"""


def _forget(engine: Target) -> None:
    engine.wire.request("DELETE", f"/networks/{NETWORK}")


def _make(engine: Target) -> None:
    _forget(engine)
    engine.wire.request("POST", "/networks/create", {"Name": NETWORK, "CheckDuplicate": True}).expect(201)


@measure("ms", rounds=30, parts={"disconnect": ("ms", "lower")})
def network_connect(engine: Target, payload: Payload) -> Iterator[Round]:
    """connect of a running container to a second network, and its disconnect"""
    _make(engine)
    container = engine.run(["sleep", "1000"], "bridge")

    def once() -> dict[str, float]:
        begun = now()
        engine.wire.request("POST", f"/networks/{NETWORK}/connect", {"Container": container}).expect(200)
        joined = now()
        engine.wire.request("POST", f"/networks/{NETWORK}/disconnect", {"Container": container}).expect(200)
        return {"": (joined - begun) * 1e3, "disconnect": (now() - joined) * 1e3}

    try:
        yield once
    finally:
        engine.remove(container)
        _forget(engine)


@measure("ms", rounds=5)
def dns(engine: Target, payload: Payload) -> Iterator[Round]:
    """500 questions for a neighbour's name, one after the other, of the resolver in a container"""
    _make(engine)
    containers = [engine.run(["sleep", "1000"], NETWORK) for _ in range(2)]

    def once() -> dict[str, list[float]]:
        views = [engine.wire.request("GET", f"/containers/{container}/json").expect(200).json() for container in containers]
        command = ["nsenter", f"--net=/proc/{views[0]['State']['Pid']}/ns/net", sys.executable, "-I", "-S", "-c", ASKER]
        done = subprocess.run([*command, views[1]["Name"].removeprefix("/")], capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise RuntimeError(done.stderr)
        times: list[float] = json.loads(done.stdout)
        return {"": times}

    try:
        yield once
    finally:
        engine.remove_all(containers)
        _forget(engine)


@measure("containers/s", "higher", rounds=2, heavy=True, parts={"remove": ("containers/s", "higher")})
def burst_network(engine: Target, payload: Payload) -> Iterator[Round]:
    """create + start of 100 containers by 8 clients on one user-defined network, and their forced removal"""
    _make(engine)
    try:
        yield from burst(engine, NETWORK, 100)
    finally:
        _forget(engine)
