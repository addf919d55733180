"""One client connection: aiohttp's HTTP parser and keep-alive, plus what the Engine API needs beyond HTTP.

- Requests that may leave HTTP (attach, exec start) are *gated*: bytes after them stay out of the parser, because they are the
  program's input, not the next request; `hijack` takes them along with the socket.
- A client that closes its sending half still gets its answer, as from Go's server; only what follows the client (events,
  logs -f, wait, …) ends when it leaves.
"""

import asyncio
import os
import re
from typing import Any

from aiohttp.web_protocol import RequestHandler
from aiohttp.web_server import Server

from argosy.api.answer import JSON, Answer
from argosy.api.errors import body_of
from argosy.api.request import Request

_HIJACKABLE = re.compile(rb"POST (?:/v[0-9.]+)?/(?:containers/[^/ ?]+/attach|exec/[^/ ?]+/start|grpc|session)[? ]")
_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_HEAD_LIMIT = 1 << 20
_EARLY_LIMIT = 1 << 18
_NOTHING = b""


class _Left(asyncio.Protocol):
    """Stands in for a connection whose socket has been taken away, until asyncio forgets it."""


def _length(data: bytes, end: int) -> int | None:
    """Return how long the request is whose head ends at ``end``; None when only its chunks will tell."""
    head = data[: end + 2]
    if _CHUNKED.search(head) is not None:
        return None
    length = _CONTENT_LENGTH.search(head)
    return end + 4 + (int(length[1]) if length else 0)


class Connection(RequestHandler):
    __slots__ = ("_answered", "_early", "_gate_at", "_gated", "_half_closed", "_held", "_last_payload", "follows_client", "hijacked")

    def __init__(self, manager: Server, **options: Any) -> None:
        super().__init__(manager, **options)
        self._answered = 0
        self._early = bytearray()
        self._gated = False
        self._gate_at = 0
        """Which request of this connection the gate belongs to; it may have to wait for earlier ones."""
        self._half_closed = False
        self._held = _NOTHING
        self._last_payload: Any = None
        self.follows_client = False
        """The handler at work is of no use to anybody once the client has gone."""
        self.hijacked = False

    # ------------------------------------------------------------------ reading

    def data_received(self, data: bytes) -> None:
        if self._gated:
            if data:
                self._keep_early(data)
            return
        if not data or self._upgraded or (self._last_payload is not None and not self._last_payload.is_eof()):
            # Of a request's body, or of a websocket.
            self._feed(data)
            return
        if self._held:
            data, self._held = self._held + data, _NOTHING
        self._split(data)

    def _split(self, data: bytes) -> None:
        """Feed request by request, so that one that may leave HTTP is seen even behind another."""
        while data:
            end = data.find(b"\r\n\r\n")
            if end < 0 and len(data) < _HEAD_LIMIT:
                self._held = data
                return
            hijackable = _HIJACKABLE.match(data) is not None
            if end < 0 or self._upgraded or (len(data) == end + 4 and not hijackable):
                self._feed(data)
                return
            whole = _length(data, end)
            if hijackable and whole is not None:
                self._feed_gated(data, whole)
                return
            if whole is None or whole >= len(data):
                self._feed(data)
                return
            self._feed(data[:whole])
            data = data[whole:]

    def _feed(self, data: bytes) -> None:
        super().data_received(data)
        if self._messages:
            self._last_payload = self._messages[-1][1]

    def _feed_gated(self, data: bytes, whole: int) -> None:
        """Give the parser exactly one request and keep what comes after it."""
        if len(data) < whole < _HEAD_LIMIT:
            self._held = data
            return
        self._gated = True
        if len(data) > whole:
            self._keep_early(data[whole:])
        self._feed(data[:whole])
        self._gate_at = self._request_count

    def _keep_early(self, data: bytes) -> None:
        self._early += data
        if len(self._early) >= _EARLY_LIMIT:
            self._pause_transport_reading()

    def eof_received(self) -> bool | None:  # type: ignore[override]
        self._half_closed = True
        if self._gated:
            return True
        # Go's server answers a request whose client has closed its sending half; asyncio would close the connection.
        waiting = self._request_count > self._answered
        complete = self._last_payload is None or self._last_payload.is_eof()
        return waiting and complete and not self.follows_client

    def connection_lost(self, exc: BaseException | None) -> None:
        task = self._task_handler
        super().connection_lost(exc)
        if self.follows_client and task is not None:
            task.cancel()

    # ------------------------------------------------------------------ around a request

    def begin(self, follows_client: bool) -> None:
        """A handler starts. Raises ConnectionError when it would only serve a client that has left."""
        self.follows_client = follows_client
        if follows_client and self._half_closed and not self._gated:
            raise ConnectionResetError("the client has left")

    def end(self) -> None:
        """A request has been handled; what follows it is the next one, unless the connection was taken."""
        self._answered += 1
        self.follows_client = False
        if self._gated and self._answered >= self._gate_at and not self.hijacked and not self._early:
            self._gated = False

    def must_close(self, request: Request) -> bool:
        """Say whether the connection ends with this answer.

        Bytes after a refused hijack were meant for a program; parsing them as a request would be an invitation.
        """
        refused = bool(self._early) and self._answered >= self._gate_at
        return request.message.should_close or self._half_closed or self._close or refused

    # ------------------------------------------------------------------ writing

    def send(self, data: bytes | bytearray | memoryview) -> None:
        transport = self.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has left")
        transport.write(data)

    async def drained(self) -> None:
        """Wait while the client is slow. Raises ConnectionError when it leaves."""
        if self._paused:
            await self._drain_helper()

    def send_continue(self) -> None:
        self.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def abort(self) -> None:
        """Cut the connection, so that a client sees that a streamed answer is not complete."""
        if self.transport is not None:
            self.transport.abort()

    def handle_error(self, request: Any, status: int = 500, exc: BaseException | None = None, message: str | None = None) -> Any:
        """Answer what could not be parsed as HTTP."""
        self._answered += 1
        answer = Answer(status, body_of((message or "bad request").strip().split("\n")[0]), JSON)
        answer.keep_alive = False
        return answer

    # ------------------------------------------------------------------ leaving HTTP

    async def leave(self, head: bytes) -> tuple[asyncio.Transport, bytes]:
        """Write ``head``, wait until the client's kernel has it, and return (transport, bytes already read).

        From then on nothing of HTTP touches the transport. Raises ConnectionError when the client has gone.
        """
        transport = self.transport
        if transport is None:
            raise ConnectionResetError("the client has left")
        self.hijacked = True
        self._pause_transport_reading()
        transport.set_write_buffer_limits(0)
        self.send(head)
        await self.drained()
        if self.transport is None:
            raise ConnectionResetError("the client has left")
        if self._keepalive_handle is not None:
            self._keepalive_handle.cancel()
            self._keepalive_handle = None
        transport.set_protocol(_Left())
        self.transport = None
        if self._manager is not None:
            self._manager.connection_lost(self)
        early, self._early = bytes(self._early), bytearray()
        return transport, early

    async def take_socket(self, head: bytes) -> tuple[int, bytes]:
        """Leave HTTP and return (a file descriptor of the socket, bytes already read); asyncio closes only its own descriptor.

        The descriptor is close-on-exec and non-blocking, as the open file description that it shares is.
        """
        transport, early = await self.leave(head)
        fd = os.dup(transport.get_extra_info("socket").fileno())
        # close() neither shuts the connection down nor reads or writes: the buffer is empty and the reader is gone.
        transport.close()
        return fd, early

    def stop_following(self) -> None:
        """The server shuts down: end a handler that would go on as long as its client."""
        if self._task_handler is not None and (self.follows_client or self.hijacked):
            self._task_handler.cancel()
