"""Questions that are not about containers: asked of the servers outside, one after the other, by UDP or TCP as they came."""

import os
import socket
import struct

from argosy.network.dns import message
from argosy.network.dns.message import Query
from argosy.network.netd.loop import READ, WRITE, Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Done = Callable[[bytes | None], None]
    MakeSocket = Callable[[int, int], socket.socket]

TIMEOUT = 2.0
_PORT = 53
_RECEIVE = 65535


def host_servers(path: str) -> list[str]:
    """Return the name servers in a resolv.conf; empty when it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return []
    return [parts[1] for parts in map(str.split, lines) if len(parts) > 1 and parts[0] == "nameserver"]


class HostServers:
    """The host's name servers, followed as its resolv.conf changes."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._servers: list[str] = []

    def get(self) -> list[str]:
        try:
            status = os.stat(self._path)
            stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
        except OSError:
            return self._servers
        if stamp != self._stamp:
            self._stamp, self._servers = stamp, host_servers(self._path)
        return self._servers


class Forward:
    """One question on its way. ``done(answer)`` is called exactly once, with None if no server gave a usable answer."""

    def __init__(self, loop: Loop, query: Query, data: bytes, servers: list[str], tcp: bool, make: "MakeSocket", done: "Done") -> None:
        self._loop = loop
        self._query = query
        self._data = data
        self._servers = list(servers)
        self._tcp = tcp
        self._make = make
        self._done: Done | None = done
        self._sock: socket.socket | None = None
        self._last: bytes | None = None
        self._buffer = bytearray()
        self._id = 0
        self._timer = loop.later(0, self._next)

    def cancel(self) -> None:
        self._done = None
        self._drop()
        self._timer.cancel()

    def _drop(self) -> None:
        if self._sock is not None:
            self._loop.forget(self._sock.fileno())
            self._sock.close()
            self._sock = None

    def _finish(self, answer: bytes | None) -> None:
        done, self._done = self._done, None
        self._drop()
        self._timer.cancel()
        if done is not None:
            done(answer)

    def _next(self) -> None:
        """Ask the next server; with none left, give what the last one said."""
        self._drop()
        self._timer.cancel()
        if not self._servers:
            self._finish(self._last)
            return
        server = self._servers.pop(0).partition("%")[0]
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        # A port and an id of its own for each question: an answer cannot be guessed by who does not see it.
        self._id = int.from_bytes(os.urandom(2), "big")
        self._timer = self._loop.later(TIMEOUT, self._next)
        try:
            sock = self._make(family, socket.SOCK_STREAM if self._tcp else socket.SOCK_DGRAM)
            self._sock = sock
            sock.setblocking(False)
            error = sock.connect_ex((server, _PORT))
            if error not in (0, 115):
                raise OSError(error, os.strerror(error))
            if self._tcp:
                self._loop.watch(sock.fileno(), WRITE, self._connected)
            else:
                sock.send(message.with_id(self._data, self._id))
                self._loop.watch(sock.fileno(), READ, self._datagram)
        except OSError:
            self._timer.cancel()
            self._timer = self._loop.later(0, self._next)

    def _judge(self, data: bytes) -> None:
        if message.parse_id(data) != self._id or not message.same_question(self._query, data):
            return
        data = message.with_id(data, self._query.id)
        if message.rcode(data) in (message.SERVFAIL, message.REFUSED, message.NOTIMP) and self._servers:
            self._last = data
            self._next()
        else:
            self._finish(data)

    def _datagram(self, _: int) -> None:
        assert self._sock is not None
        try:
            data = self._sock.recv(_RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            self._next()
            return
        self._judge(data)

    def _connected(self, _: int) -> None:
        assert self._sock is not None
        request = message.with_id(self._data, self._id)
        try:
            self._sock.send(struct.pack("!H", len(request)) + request)
        except OSError:
            self._next()
            return
        self._buffer.clear()
        self._loop.watch(self._sock.fileno(), READ, self._stream)

    def _stream(self, _: int) -> None:
        assert self._sock is not None
        try:
            data = self._sock.recv(_RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._next()
            return
        self._buffer += data
        if len(self._buffer) >= 2:
            size = int.from_bytes(self._buffer[:2], "big")
            if len(self._buffer) >= 2 + size:
                self._judge(bytes(self._buffer[2 : 2 + size]))
