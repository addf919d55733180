"""The resolver at 127.0.0.11 of one container: sockets made inside its namespace, answers from outside it."""

import os
import socket
import struct
from functools import partial

from argosy.network.dns import message
from argosy.network.dns.answer import View, answer
from argosy.network.dns.names import Names
from argosy.network.netd.loop import READ, Loop, Timer
from argosy.network.netd.upstream import Forward, HostServers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Reply = Callable[[bytes], None]

_MOST_WAITING = 512
_MOST_CONNECTIONS = 64
_IDLE = 10.0
_UDP_MOST = 4096


class Resolver:
    """``servers`` None: the host's own, asked from the host; else those, asked from inside the container's namespace."""

    def __init__(
        self,
        loop: Loop,
        names: Names,
        view: View,
        sockets: tuple[socket.socket, socket.socket],
        pid: int,
        servers: list[str] | None,
        host: HostServers,
    ) -> None:
        self._loop = loop
        self._names = names
        self.view = view
        self.pid = pid
        self.servers = servers
        self._host = host
        self._udp, self._tcp = sockets
        self._waiting: set[Forward] = set()
        self._connections: set[_Connection] = set()
        for sock in sockets:
            sock.setblocking(False)
        loop.watch(self._udp.fileno(), READ, self._datagrams)
        loop.watch(self._tcp.fileno(), READ, self._accept)

    def close(self) -> None:
        """Let go of the namespace: a socket made in it keeps it, and the container's links, alive."""
        for sock in (self._udp, self._tcp):
            self._loop.forget(sock.fileno())
            sock.close()
        for forward in list(self._waiting):
            forward.cancel()
        for connection in list(self._connections):
            connection.close()

    def done(self, connection: "_Connection") -> None:
        self._connections.discard(connection)

    def _datagrams(self, _: int) -> None:
        for _turn in range(64):
            try:
                data, client = self._udp.recvfrom(_UDP_MOST)
            except OSError:
                return
            self.resolve(data, False, partial(self._send, client))

    def _send(self, client: tuple[str, int], reply: bytes) -> None:
        try:
            self._udp.sendto(reply, client)
        except OSError:
            return

    def _accept(self, _: int) -> None:
        try:
            sock, _client = self._tcp.accept()
        except OSError:
            return
        if len(self._connections) >= _MOST_CONNECTIONS:
            sock.close()
            return
        self._connections.add(_Connection(self._loop, self, sock))

    def resolve(self, data: bytes, tcp: bool, reply: "Reply") -> None:
        """Answer one message, now or when an upstream server has."""
        try:
            query = message.parse_query(data)
        except message.MalformedMessage:
            refusal = message.refusal(data, message.FORMERR)
            if refusal:
                reply(refusal)
            return
        limit = 65535 if tcp else min(query.size, _UDP_MOST)
        local = answer(query, self._names, self.view, limit)
        if local is not None:
            reply(local)
            return
        servers = self._host.get() if self.servers is None else self.servers
        if not servers or len(self._waiting) >= _MOST_WAITING:
            reply(message.response(query, message.SERVFAIL, [], ttl=0, limit=limit, authoritative=False))
            return

        def done(got: bytes | None) -> None:
            self._waiting.discard(forward)
            if got is None:
                got = message.response(query, message.SERVFAIL, [], ttl=0, limit=limit, authoritative=False)
            elif not tcp and len(got) > limit:
                # Bigger than the client said it can take: it shall come back by TCP.
                got = message.response(query, message.NOERROR, [], ttl=0, limit=0, authoritative=False)
            reply(got)

        forward = Forward(self._loop, query, data, servers, tcp, self._outside, done)
        self._waiting.add(forward)

    def _outside(self, family: int, kind: int) -> socket.socket:
        if self.servers is None:
            return socket.socket(family, kind | socket.SOCK_CLOEXEC)
        # Named servers may be reachable from the container alone (another container, its own loopback). Imported when first
        # needed: ctypes is a megabyte that most hosts never use here.
        from argosy.linux import netns

        fd = netns.open_pid(self.pid)
        try:
            return netns.socket_in(fd, family, kind)
        finally:
            os.close(fd)


class _Connection:
    """One client on TCP (RFC 7766): messages with a length in front, several in turn."""

    def __init__(self, loop: Loop, resolver: Resolver, sock: socket.socket) -> None:
        self._loop = loop
        self._resolver = resolver
        self._sock = sock
        self._buffer = bytearray()
        self._open = True
        sock.setblocking(False)
        self._timer: Timer = loop.later(_IDLE, self.close)
        loop.watch(sock.fileno(), READ, self._readable)

    def close(self) -> None:
        if self._open:
            self._open = False
            self._timer.cancel()
            self._loop.forget(self._sock.fileno())
            self._sock.close()
            self._resolver.done(self)

    def _readable(self, _: int) -> None:
        try:
            data = self._sock.recv(65535)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self._timer.cancel()
        self._timer = self._loop.later(_IDLE, self.close)
        self._buffer += data
        while len(self._buffer) >= 2:
            size = struct.unpack_from("!H", self._buffer)[0]
            if len(self._buffer) < 2 + size:
                return
            request = bytes(self._buffer[2 : 2 + size])
            del self._buffer[: 2 + size]
            self._resolver.resolve(request, True, self._reply)

    def _reply(self, data: bytes) -> None:
        if not self._open:
            return
        try:
            self._sock.send(struct.pack("!H", len(data)) + data)
        except OSError:
            # The answer did not fit into the socket of a client that does not read: it has lost its turn.
            self.close()
