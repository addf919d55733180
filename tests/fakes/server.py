"""An API server on a unix socket of a temporary directory, over the engine in memory."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy.api.listeners import unix_listener
from argosy.api.server import ApiServer
from argosy.base.clock import ManualClock
from fakes.builder import FakeBuilder, FakeBuildKit
from fakes.engine import (
    NOW,
    SECOND,
    FakeContainers,
    FakeExecs,
    FakeImages,
    FakeNetworks,
    FakeRegistries,
    FakeSystem,
    FakeVolumes,
    container,
)


@dataclass
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def message(self) -> str:
        return str(self.json()["message"])


class Client:
    """A connection on which a test writes and reads raw bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None, extra: bytes = b"") -> None:
        lines = [f"{method} {path} HTTP/1.1", "Host: docker"]
        if body or method in ("POST", "PUT"):
            lines.append(f"Content-Length: {len(body)}")
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body + extra)

    async def head(self) -> tuple[int, dict[str, str]]:
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
        return int(lines[0].split()[1]), headers

    async def chunk(self) -> bytes:
        size = int(await self.reader.readline(), 16)
        data = await self.reader.readexactly(size)
        await self.reader.readexactly(2)
        return data

    async def reply(self, method: str = "GET") -> Reply:
        status, headers = await self.head()
        if method == "HEAD" or status in (204, 304):
            body = b""
        elif "content-length" in headers:
            body = await self.reader.readexactly(int(headers["content-length"]))
        elif headers.get("transfer-encoding") == "chunked":
            body = b""
            while data := await self.chunk():
                body += data
        else:
            body = await self.reader.read()
        return Reply(status, headers, body)

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


class Api:
    def __init__(self, path: str) -> None:
        self.path = path
        self.clock = ManualClock(NOW + 10 * SECOND)
        self.containers = FakeContainers(container())
        self.execs, self.images, self.networks = FakeExecs(), FakeImages(), FakeNetworks()
        self.registries = FakeRegistries()
        self.volumes, self.system, self.builder, self.buildkit = FakeVolumes(), FakeSystem(), FakeBuilder(), FakeBuildKit()
        self.server = ApiServer(
            containers=self.containers,
            execs=self.execs,
            images=self.images,
            registries=self.registries,
            networks=self.networks,
            volumes=self.volumes,
            system=self.system,
            builder=self.builder,
            buildkit=self.buildkit,
            clock=self.clock,
        )

    async def connect(self) -> Client:
        return Client(*await asyncio.open_unix_connection(self.path))

    async def ask(self, method: str, path: str, body: Any = b"", headers: Mapping[str, str] | None = None) -> Reply:
        """One request on a connection of its own; a dictionary or list is sent as JSON."""
        sent = dict(headers or {})
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        client = await self.connect()
        client.send(method, path, body, sent)
        reply = await client.reply(method)
        await client.close()
        return reply


@asynccontextmanager
async def running_api(directory: Path) -> AsyncIterator[Api]:
    api = Api(str(directory / "api.sock"))
    await api.server.listen(unix_listener(api.path, ""))
    try:
        yield api
    finally:
        await api.server.close(grace=1)
