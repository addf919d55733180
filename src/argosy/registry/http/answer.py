"""Answers: whole ones, parts of files, and streams. Each has what `aiohttp.web_protocol.RequestHandler` asks of a response."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from argosy import __version__
from argosy.registry.http.request import Request

JSON = "application/json"
_REASON = {status.value: status.phrase for status in HTTPStatus}
_STANDARD = (
    f"Docker-Distribution-Api-Version: registry/2.0\r\nServer: Argosy-Registry/{__version__}\r\nX-Content-Type-Options: nosniff\r\n"
).encode()
_CLOSE = b"Connection: close\r\n"
_PIECE = 1 << 20
_encoder = msgspec.json.Encoder()
_date: tuple[int, bytes] = (0, b"")


def _date_line() -> bytes:
    global _date
    now = int(time.time())
    if _date[0] != now:
        _date = (now, time.strftime("Date: %a, %d %b %Y %H:%M:%S GMT\r\n", time.gmtime(now)).encode())
    return _date[1]


def _head(status: int, headers: Mapping[str, str], framing: bytes) -> bytes:
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if "\n" in lines.replace("\r\n", "") or lines.count("\r\n") != len(headers):
        raise ValueError("a header's value spans lines")
    start = f"HTTP/1.1 {status} {_REASON.get(status, 'Unknown')}\r\n{lines}".encode()
    return b"".join((start, _STANDARD, _date_line(), framing, b"\r\n"))


class Answer:
    """A complete answer. ``length`` stands for a body that is not sent (HEAD)."""

    __slots__ = ("body", "headers", "keep_alive", "length", "status")

    def __init__(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None, *, length: int | None = None) -> None:
        self.status = status
        self.body = body
        self.headers = headers or {}
        self.length = len(body) if length is None else length
        self.keep_alive = True

    async def prepare(self, request: Request) -> None:
        """Write the answer; raises ConnectionError when the client has gone."""
        connection = request.connection
        # RFC 9110 6.4.1: no body after HEAD, 204 and 304.
        bare = self.status in (204, 304)
        framing = b"" if bare else b"Content-Length: %d\r\n" % self.length
        framing = _closing(self, request, framing)
        start = _head(self.status, self.headers, framing)
        request.answering = True
        connection.send(start if bare or request.method == "HEAD" else start + self.body)
        await connection.drained()

    async def write_eof(self) -> None:
        pass


class FileAnswer:
    """A part of a file; closes the descriptor."""

    __slots__ = ("_count", "_fd", "_headers", "_offset", "keep_alive", "status")

    def __init__(self, status: int, fd: int, offset: int, count: int, headers: Mapping[str, str]) -> None:
        self.status = status
        self._fd, self._offset, self._count = fd, offset, count
        self._headers = headers
        self.keep_alive = True

    async def prepare(self, request: Request) -> None:
        with os.fdopen(self._fd, "rb", buffering=0) as file:
            framing = _closing(self, request, b"Content-Length: %d\r\n" % self._count)
            request.answering = True
            request.connection.send(_head(self.status, self._headers, framing))
            await self._send(request, file)

    async def _send(self, request: Request, file: Any) -> None:
        wire = request.connection.wire
        loop = asyncio.get_running_loop()
        if self._count and wire.get_extra_info("sslcontext") is None:
            sent = await loop.sendfile(wire, file, self._offset, self._count)
            if sent != self._count:
                wire.abort()
            return
        # TLS is done by this process: pieces large enough that a thread for each does not matter.
        offset, end = self._offset, self._offset + self._count
        while offset < end:
            piece = await loop.run_in_executor(None, os.pread, file.fileno(), min(_PIECE, end - offset), offset)
            if not piece:
                wire.abort()
                return
            request.connection.send(piece)
            await request.connection.drained()
            offset += len(piece)

    async def write_eof(self) -> None:
        pass


class StreamAnswer:
    """A body of known length that arrives while it is sent; a source that fails ends the connection, so that nobody takes it for whole."""

    __slots__ = ("_headers", "_length", "_pieces", "keep_alive", "status")

    def __init__(self, status: int, length: int, pieces: AsyncIterator[bytes], headers: Mapping[str, str]) -> None:
        self.status = status
        self._length, self._pieces, self._headers = length, pieces, headers
        self.keep_alive = True

    async def prepare(self, request: Request) -> None:
        framing = _closing(self, request, b"Content-Length: %d\r\n" % self._length)
        request.answering = True
        request.connection.send(_head(self.status, self._headers, framing))
        sent = 0
        try:
            async for piece in self._pieces:
                request.connection.send(piece)
                sent += len(piece)
                await request.connection.drained()
        finally:
            if sent != self._length and request.connection.transport is not None:
                request.connection.transport.close()

    async def write_eof(self) -> None:
        pass


AnyAnswer = Answer | FileAnswer | StreamAnswer


def _closing(answer: AnyAnswer, request: Request, framing: bytes) -> bytes:
    if not answer.keep_alive or request.message.should_close or request.connection.closing:
        answer.keep_alive = False
        return framing + _CLOSE
    return framing


def json(value: Any, headers: Mapping[str, str] | None = None, *, status: int = 200, content_type: str = JSON) -> Answer:
    return Answer(status, _encoder.encode(value) + b"\n", {"Content-Type": content_type, **(headers or {})})
