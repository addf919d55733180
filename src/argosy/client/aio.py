"""The asyncio executor of calls, for programs that hold many streams at once.

One connection a call or stream; idle ones are kept for the next call.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, TypeVar

from argosy.client import version
from argosy.client.dial import CONNECT_TIMEOUT, failure, ssh_command, tls_context
from argosy.client.endpoint import Endpoint, find
from argosy.client.errors import ProtocolError
from argosy.client.http import Head, body_of, encode_chunk, encode_head, split_head, target
from argosy.client.lines import LineSplitter
from argosy.client.sync import refusal
from argosy.client.system import ping

if TYPE_CHECKING:
    from argosy.client.call import Call, Hijack, Payload, Stream

T = TypeVar("T")
_PIECE = 1 << 18
_IDLE = 4
# asyncio stops reading beyond twice this: enough for all the progress that a daemon reports while it reads an upload,
# so that neither waits for the other; nothing is set aside before it is needed.
_BUFFER = 1 << 24


class AsyncChannel:
    """A hijacked connection: a reader (what came early is in it first), a writer, and the media type."""

    def __init__(self, wire: _Wire, early: bytes, media_type: str) -> None:
        self._wire = wire
        self._early = early
        self.media_type = media_type

    async def read(self) -> bytes:
        """Return the next bytes, ``b""`` at the end."""
        if self._early:
            early, self._early = self._early, b""
            return early
        return await self._wire.reader.read(_PIECE)

    async def write(self, data: bytes) -> None:
        self._wire.writer.write(data)
        await self._wire.writer.drain()

    def write_eof(self) -> None:
        """Say that no more input comes; output goes on. TLS has no half-close (RFC 8446, 6.1), so there it does nothing."""
        if self._wire.writer.can_write_eof():
            self._wire.writer.write_eof()

    async def close(self) -> None:
        await self._wire.close()


class _Wire:
    """A connection."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, process: asyncio.subprocess.Process | None = None
    ) -> None:
        self.reader = reader
        self.writer = writer
        self._process = process

    async def close(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except (OSError, asyncio.IncompleteReadError):
            pass
        if self._process is not None:
            await self._process.wait()


class AsyncClient:
    """Carries out calls; any number at a time.

    ``api_version`` fixes the version that is spoken, else it is negotiated by the first call.
    """

    def __init__(self, endpoint: Endpoint, *, api_version: str = "", user_agent: str = "argosy-python") -> None:
        self.endpoint = endpoint
        self._fixed = version.parse(api_version) if api_version else None
        self._version = self._fixed or version.NEWEST
        self._settled = self._fixed is not None
        self._idle: list[_Wire] = []
        self._headers = {"Host": endpoint.host.header, "User-Agent": user_agent}

    @classmethod
    def from_environment(cls, host: str = "", context: str = "") -> AsyncClient:
        """Find the daemon as the command line does; raises InvalidHostError, ContextError."""
        return cls(find(os.environ, host=host, context=context), api_version=os.environ.get("DOCKER_API_VERSION", ""))

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        idle, self._idle = self._idle, []
        for wire in idle:
            await wire.close()

    async def call(self, call: Call[T]) -> T:
        """Send and return the decoded answer; raises ApiError, ConnectionFailedError, ProtocolError."""
        wire, head, early = await self._exchange(call)
        body = b"".join([piece async for piece in self._pieces(wire, call.method, head, early)])
        if head.status >= 400:
            raise refusal(head, body)
        return call.decode(body)

    async def stream(self, call: Stream[T]) -> AsyncIterator[T]:
        """Yield the items; leaving the loop early closes the connection (use ``contextlib.aclosing`` to do so at once)."""
        wire, head, early = await self._exchange(call)
        pieces = self._pieces(wire, call.method, head, early)
        if head.status >= 400:
            raise refusal(head, b"".join([piece async for piece in pieces]))
        splitter = LineSplitter()
        async for piece in pieces:
            for item in splitter.feed(piece) if call.lines else (piece,):
                yield call.decode(item)
        for item in splitter.end():
            yield call.decode(item)

    async def hijack(self, call: Hijack) -> AsyncChannel:
        """Send and return the connection, which is the caller's to close."""
        wire, head, early = await self._exchange(call)
        if head.status not in (101, 200):
            raise refusal(head, b"".join([piece async for piece in self._pieces(wire, call.method, head, early)]))
        return AsyncChannel(wire, early, head.headers.get("content-type", ""))

    async def _pieces(self, wire: _Wire, method: str, head: Head, early: bytes) -> AsyncIterator[bytes]:
        body = body_of(method, head)
        try:
            data = early
            while True:
                if data and (payload := body.feed(data)):
                    yield payload
                if body.finished:
                    break
                data = await wire.reader.read(_PIECE)
                if not data:
                    body.end()
                    break
        finally:
            framed = "content-length" in head.headers or "transfer-encoding" in head.headers
            if body.finished and not body.rest and framed and head.keeps_alive and len(self._idle) < _IDLE:
                self._idle.append(wire)
            else:
                wire.writer.close()

    async def _exchange(self, call: Call[T]) -> tuple[_Wire, Head, bytes]:
        once = not (call.body is None or isinstance(call.body, bytes))
        if once and not self._settled:
            await self._settle()
        while True:
            tried = self._version
            wire, head, early = await self._round_trip(call, fresh=once)
            lower = None if self._fixed else version.after_refusal(head.status, head.headers.get("api-version"), tried)
            if lower is None:
                self._settled = self._settled or head.status < 400
                return wire, head, early
            await wire.close()
            self._version, self._settled = lower, True

    async def _settle(self) -> None:
        wire, head, early = await self._exchange(ping())
        async for _ in self._pieces(wire, "HEAD", head, early):
            pass
        self._version = min(version.parse(head.headers.get("api-version", "")) or version.OLDEST, version.NEWEST)
        self._settled = True

    async def _round_trip(self, call: Call[T], *, fresh: bool) -> tuple[_Wire, Head, bytes]:
        """Send on an idle connection if there is one; when the daemon has closed that meanwhile, once more on a new one."""
        if self._idle and not fresh:
            wire = self._idle.pop()
            try:
                return await self._send(wire, call)
            except (OSError, ProtocolError):
                wire.writer.close()
                if call.method not in ("GET", "HEAD"):
                    raise
        wire = await _open(self.endpoint)
        try:
            return await self._send(wire, call)
        except BaseException:
            wire.writer.close()
            raise

    async def _send(self, wire: _Wire, call: Call[T]) -> tuple[_Wire, Head, bytes]:
        prefix = "" if call.path == "/_ping" else "/v" + version.show(self._version)
        base = self.endpoint.host.path if self.endpoint.host.kind == "tcp" else ""
        headers = {**self._headers, **call.headers}
        request_target = target(base + prefix + call.path, call.query)
        body = b"" if call.body is None and call.method in ("POST", "PUT") else call.body
        if body is None or isinstance(body, bytes):
            if body is not None:
                headers["Content-Length"] = str(len(body))
            wire.writer.write(encode_head(call.method, request_target, headers) + (body or b""))
            await wire.writer.drain()
        else:
            headers["Transfer-Encoding"] = "chunked"
            await _upload(wire.writer, encode_head(call.method, request_target, headers), body)
        return await _receive_head(wire)


async def _upload(writer: asyncio.StreamWriter, head: bytes, body: Payload) -> None:
    """Send a body of unknown length; a daemon that has refused it closes early, and its answer is read all the same."""
    try:
        writer.write(head)
        async for piece in _payload(body):
            writer.write(encode_chunk(piece))
            await writer.drain()
        writer.write(encode_chunk(b""))
        await writer.drain()
    except (BrokenPipeError, ConnectionResetError):
        pass


async def _payload(body: Payload) -> AsyncIterator[bytes]:
    """Read files in a thread: a disk or a pipe must not stop the loop."""
    read = getattr(body, "read", None)
    pieces: Iterable[bytes] = iter(lambda: read(_PIECE), b"") if read is not None else body  # type: ignore[assignment]
    iterator = iter(pieces)
    while piece := await asyncio.to_thread(next, iterator, b""):
        yield piece


async def _receive_head(wire: _Wire) -> tuple[_Wire, Head, bytes]:
    buffer = b""
    while True:
        data = await wire.reader.read(_PIECE)
        if not data:
            raise ProtocolError("the daemon closed the connection without an answer")
        buffer += data
        found = split_head(buffer)
        while found is not None and 100 <= found[0].status < 200 and found[0].status != 101:
            buffer = found[1]
            found = split_head(buffer)
        if found is not None:
            return wire, *found


async def _open(endpoint: Endpoint) -> _Wire:
    """Connect; raises ConnectionFailedError."""
    host = endpoint.host
    try:
        if host.kind == "unix":
            return _Wire(*await asyncio.open_unix_connection(host.address, limit=_BUFFER))
        if host.kind == "ssh":
            return await _open_ssh(endpoint)
        tls = tls_context(endpoint.tls) if endpoint.tls is not None else None
        async with asyncio.timeout(CONNECT_TIMEOUT):
            return _Wire(*await asyncio.open_connection(host.address, host.port, ssl=tls, limit=_BUFFER))
    except OSError as error:
        raise failure(endpoint.text, host, error) from error


async def _open_ssh(endpoint: Endpoint) -> _Wire:
    process = await asyncio.create_subprocess_exec(
        *ssh_command(endpoint.host), limit=_BUFFER, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True
    )
    if process.stdin is None or process.stdout is None:
        raise ProtocolError("ssh was started without pipes")
    return _Wire(process.stdout, process.stdin, process)
