"""One connection to a shim, worker or launcher, without ever blocking the event loop."""

import asyncio
import itertools
import os
import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from argosy.runtime.shim import wire

Message = dict[str, Any]


class Closed(ConnectionError):
    """The other side is gone."""


class RequestFailed(Exception):
    """The shim answered with an error."""

    def __init__(self, kind: str, message: str, code: int) -> None:
        super().__init__(message)
        self.kind, self.code = kind, code


class Connection:
    """Requests matched to answers by number; events go to ``on_event``, the end to ``on_close`` (once, after the last event)."""

    def __init__(self, link: socket.socket, *, on_event: Callable[[Message], None], on_close: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = link
        self._on_event, self._on_close = on_event, on_close
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._outgoing: deque[tuple[bytes, list[int]]] = deque()
        self.open = True
        link.setblocking(False)
        self._loop.add_reader(link.fileno(), self._readable)

    async def call(self, verb: str, fds: Sequence[int] = (), **fields: Any) -> Message:
        """Send a request and return the answer. Raises RequestFailed, Closed. The fds are duplicated at once."""
        if not self.open:
            raise Closed("the shim is gone")
        number = next(self._numbers)
        answer: asyncio.Future[Message] = self._loop.create_future()
        self._waiting[number] = answer
        try:
            self._send({"verb": verb, "n": number, **fields}, fds)
            message = await answer
        finally:
            self._waiting.pop(number, None)
        if "error" in message:
            error = message["error"]
            raise RequestFailed(error["kind"], error["message"], error["code"])
        return message

    def post(self, verb: str, **fields: Any) -> None:
        """Send a request whose answer nobody wants."""
        if self.open:
            self._send({"verb": verb, "n": next(self._numbers), **fields}, ())

    def close(self) -> None:
        """Close; callers that wait get Closed."""
        if not self.open:
            return
        self.open = False
        self._loop.remove_reader(self._socket.fileno())
        self._loop.remove_writer(self._socket.fileno())
        self._socket.close()
        for _, fds in self._outgoing:
            wire.close_all(fds)
        self._outgoing.clear()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(Closed("the shim is gone"))
        # After the callbacks of events that were read just now.
        self._loop.call_soon(self._on_close)

    def _send(self, message: Message, fds: Sequence[int]) -> None:
        packet, memfd = wire.pack(message)
        # Own copies: the packet may have to wait, and the caller closes its fds.
        copies = ([memfd] if memfd >= 0 else []) + [os.dup(fd) for fd in fds]
        self._outgoing.append((packet, copies))
        if len(self._outgoing) == 1:
            self._flush()

    def _flush(self) -> None:
        while self._outgoing:
            packet, fds = self._outgoing[0]
            try:
                wire.send_packet(self._socket, packet, fds)
            except BlockingIOError:
                self._loop.add_writer(self._socket.fileno(), self._flush)
                return
            except OSError:
                # What the shim said before it went may still be there to read: its end is seen by the reader.
                self._outgoing.popleft()
                wire.close_all(fds)
                continue
            self._outgoing.popleft()
            wire.close_all(fds)
        self._loop.remove_writer(self._socket.fileno())

    def _readable(self) -> None:
        while self.open:
            try:
                received = wire.receive(self._socket)
            except BlockingIOError:
                return
            except ConnectionResetError:
                # Said once, before what is still to be read, when the shim left a request of ours unread (net/unix).
                continue
            except (OSError, ValueError):
                received = None
            if received is None:
                self.close()
                return
            message, fds = received
            wire.close_all(fds)
            self._take(message)

    def _take(self, message: Message) -> None:
        if "event" in message:
            # Soon, not now: whoever awaits an answer that came before it must be resumed first.
            self._loop.call_soon(self._on_event, message)
            return
        answer = self._waiting.get(message.get("re", 0))
        if answer is not None and not answer.done():
            answer.set_result(message)
