#!/usr/bin/env python3
"""Measure argosy-registry beside Debian's docker-registry, in turn in every round: throughput of blobs, manifests a second.

Usage: bench/registry.py [--size MB] [--rounds N] [--json FILE]     (in .venv; needs the package docker-registry)

Prints the medians of both and ours divided by theirs. The client is the same plain socket for both; a push is hashed before it is timed.
"""

import argparse
import hashlib
import json
import os
import shutil
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.registry import Client, DockerRegistry, Server, docker_registry, with_query

NAME = "bench/app"
SECONDS = 1.5
CONNECTIONS = 4
now = time.perf_counter
Registry = Server | DockerRegistry


def push(client: Client, data: bytes, digest: str) -> float:
    """Return MB/s of POST, PATCH with everything, PUT, as docker pushes a layer."""
    begun = now()
    location = client.begin(NAME).expect(202).location
    location = client.request("PATCH", location, body=data, Content_Type="application/octet-stream").expect(202).location
    client.request("PUT", with_query(location, f"digest={digest}"), body=b"").expect(201)
    return len(data) / (now() - begun) / 1e6


def pull(client: Client, digest: str, size: int) -> float:
    """Return MB/s of one GET."""
    connection = client.connect()
    buffer, got, begun = bytearray(1 << 20), 0, now()
    connection.request("GET", f"/v2/{NAME}/blobs/{digest}")
    answer = connection.getresponse()
    while count := answer.readinto(buffer):
        got += count
    passed = now() - begun
    connection.close()
    assert got == size, f"{got} bytes of {size} came"
    return size / passed / 1e6


def manifests(address: str, connections: int) -> float:
    """Return GETs of a manifest by tag a second, on so many kept connections."""
    request = (
        f"GET /v2/{NAME}/manifests/v1 HTTP/1.1\r\nHost: {address}\r\nAccept: application/vnd.oci.image.manifest.v1+json\r\n\r\n".encode()
    )
    counts = [0] * connections
    end = now() + SECONDS

    def ask(number: int) -> None:
        host, _, port = address.rpartition(":")
        with socket.create_connection((host, int(port))) as wire, wire.makefile("rb") as stream:
            while now() < end:
                wire.sendall(request)
                assert b" 200 " in stream.readline()
                length = 0
                while (line := stream.readline()) != b"\r\n":
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                stream.read(length)
                counts[number] += 1

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / SECONDS


def once(registry: Registry, size: int, take: Callable[[str, float], None]) -> None:
    client = registry.client()
    data = os.urandom(size)
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    take("push MB/s", push(client, data, digest))
    take("pull MB/s", pull(client, digest, size))
    take("manifest GET/s, 1 connection", manifests(registry.address, 1))
    take(f"manifest GET/s, {CONNECTIONS} connections", manifests(registry.address, CONNECTIONS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=256, help="megabytes of a blob")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    if docker_registry() is None:
        sys.exit("bench/registry.py: docker-registry is not installed (apt-get install docker-registry)")
    folder = Path(tempfile.mkdtemp(prefix="argosy-bench-"))
    registries: dict[str, Registry] = {"argosy": Server(folder / "argosy"), "docker": DockerRegistry(folder / "docker")}
    found: dict[str, dict[str, list[float]]] = {name: {} for name in registries}
    try:
        for registry in registries.values():
            registry.client().push_image(NAME, "v1", layers=8)
        for _ in range(given.rounds):
            for name, registry in registries.items():
                once(registry, given.size << 20, lambda what, value, name=name: found[name].setdefault(what, []).append(value))  # type: ignore[misc]
    finally:
        for registry in registries.values():
            registry.stop()
        shutil.rmtree(folder)
    print(f"{'':32} {'argosy':>10} {'docker':>10} {'ratio':>7}")
    for what in found["argosy"]:
        ours, theirs = (statistics.median(found[name][what]) for name in ("argosy", "docker"))
        print(f"{what:32} {ours:10.0f} {theirs:10.0f} {ours / theirs:7.2f}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
