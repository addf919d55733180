"""Answers: whole ones written in one piece, streams flushed message by message, and the one that says "gone".

aiohttp's `Response` spends more on its header dictionaries than a small request costs; these write the same bytes directly.
Each fulfils what `aiohttp.web_protocol.RequestHandler` asks of a response: ``prepare``, ``write_eof``, ``keep_alive``.
"""

import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from argosy import __version__
from argosy.api.request import Request
from argosy.api.versions import NEWEST_TEXT

JSON = "application/json"
_REASON = {status.value: status.phrase for status in HTTPStatus}
_JOIN_BELOW = 1 << 16

STANDARD = f"Api-Version: {NEWEST_TEXT}\r\nDocker-Experimental: false\r\nOstype: linux\r\nServer: Argosy/{__version__} (linux)\r\n".encode()
_CLOSE = b"Connection: close\r\n"
_encoder = msgspec.json.Encoder()

_date: tuple[int, bytes] = (0, b"")


def _date_line() -> bytes:
    global _date
    now = int(time.time())
    if _date[0] != now:
        _date = (now, time.strftime("Date: %a, %d %b %Y %H:%M:%S GMT\r\n", time.gmtime(now)).encode())
    return _date[1]


def head(status: int, content_type: str, extra: Mapping[str, str] | None, framing: bytes) -> bytes:
    """Return the bytes of status line and headers; ``framing`` holds the headers that tell where the body ends."""
    parts = [f"HTTP/1.1 {status} {_REASON.get(status, 'Unknown')}\r\n".encode(), STANDARD]
    if extra:
        parts.extend(f"{name}: {_one_line(value)}\r\n".encode() for name, value in extra.items())
    if content_type:
        parts.append(f"Content-Type: {content_type}\r\n".encode())
    parts += (_date_line(), framing, b"\r\n")
    return b"".join(parts)


def _one_line(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ")


class Answer:
    """A complete answer."""

    __slots__ = ("body", "content_type", "headers", "keep_alive", "status")

    def __init__(self, status: int, body: bytes = b"", content_type: str = "", headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = headers
        self.keep_alive = True

    async def prepare(self, request: Request) -> None:
        """Write the whole answer; raises ConnectionError when the client has gone."""
        connection = request.connection
        # RFC 9110 6.4.1: no body after HEAD, 204 and 304.
        bare = self.status in (204, 304)
        framing = b"" if bare else b"Content-Length: %d\r\n" % len(self.body)
        if not self.keep_alive or connection.must_close(request):
            self.keep_alive = False
            framing += _CLOSE
        start = head(self.status, self.content_type, self.headers, framing)
        connection.send(start if bare or request.method == "HEAD" else start + self.body)
        await connection.drained()

    async def write_eof(self) -> None:
        pass


class Gone:
    """The connection left HTTP (hijacked, or a stream that has been written): nothing more is to be sent."""

    __slots__ = ("keep_alive", "status")

    def __init__(self, *, keep_alive: bool = False) -> None:
        self.status = 200
        self.keep_alive = keep_alive

    async def prepare(self, request: Request) -> None:
        pass

    async def write_eof(self) -> None:
        pass


class Stream:
    """An answer of unknown length, written piece by piece; the handler returns what ``done`` gives it."""

    __slots__ = ("_chunked", "_connection", "_head_only", "_request")

    def __init__(self, request: Request) -> None:
        self._request = request
        self._connection = request.connection
        self._chunked = request.message.version >= (1, 1) and not request.connection.must_close(request)
        self._head_only = request.method == "HEAD"

    def start(self, content_type: str, headers: Mapping[str, str] | None = None, status: int = 200) -> None:
        """Send the head at once: clients of ``wait``, ``events`` and ``logs -f`` look for it before anything happens."""
        framing = b"Transfer-Encoding: chunked\r\n" if self._chunked else _CLOSE
        self._connection.send(head(status, content_type, headers, framing))
        self._request.answering = True

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send a piece now. Raises ConnectionError when the client has gone."""
        size = len(data)
        if not size or self._head_only:
            return
        send = self._connection.send
        if not self._chunked:
            send(data)
        elif size < _JOIN_BELOW:
            send(b"%x\r\n%b\r\n" % (size, bytes(data)))
        else:
            send(b"%x\r\n" % size)
            send(data)
            send(b"\r\n")
        await self._connection.drained()

    async def write_json(self, value: Any) -> None:
        await self.write(_encoder.encode(value) + b"\n")

    async def done(self) -> Gone:
        """End the answer and return what the handler must return."""
        if self._chunked and not self._head_only:
            self._connection.send(b"0\r\n\r\n")
        await self._connection.drained()
        return Gone(keep_alive=self._chunked)


def json(value: Any, status: int = 200) -> Answer:
    return Answer(status, _encoder.encode(value) + b"\n", JSON)


def raw_json(body: bytes, status: int = 200) -> Answer:
    return Answer(status, body, JSON)


def empty(status: int = 204) -> Answer:
    return Answer(status)
