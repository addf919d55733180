"""Published ports that the packet rules cannot redirect: ``::1``, and IPv6 to a container that has none (or no rules at all).

A port must refuse until the program listens. The kernel completes a handshake as soon as somebody listens here, so this port
listens only while the container does: before, it is bound and silent, and the container's listeners are looked up by
sock_diag, with no connection that the program would see. A connection goes to the backend first and is accepted after.
"""

import errno
import os
import socket
import struct
from functools import partial

from argosy.linux.netlink.diag import listening_ports
from argosy.network.netd.loop import READ, WRITE, Loop, Timer

_CHUNK = 1 << 18
_FIRST_LOOK, _LAST_LOOK = 0.02, 0.25
_CONNECT = 10.0
_UDP_IDLE = 90.0
_MOST_UDP_CLIENTS = 1024
_IP_PKTINFO, _IPV6_RECVPKTINFO, _IPV6_PKTINFO = 8, 49, 50
_RESET = struct.pack("ii", 1, 0)


def make(loop: Loop, proto: str, sock: socket.socket, backend: tuple[str, int], diag: socket.socket | None) -> "TcpProxy | UdpProxy":
    return UdpProxy(loop, sock, backend) if proto == "udp" else TcpProxy(loop, sock, backend, diag)


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class TcpProxy:
    def __init__(self, loop: Loop, sock: socket.socket, backend: tuple[str, int], diag: socket.socket | None) -> None:
        self._loop = loop
        self._sock = sock
        self._backend = backend
        self._diag = diag
        self._listening = False
        self._pause = _FIRST_LOOK
        self._timer: Timer = loop.later(0, self._look)
        self._dialling: socket.socket | None = None
        self._pairs: set[_Pair] = set()
        sock.setblocking(False)

    def close(self) -> None:
        """Stop serving; the socket stays bound and its owner closes it."""
        self._timer.cancel()
        self._undial()
        self._silence()
        if self._diag is not None:
            self._diag.close()
            self._diag = None
        for pair in list(self._pairs):
            pair.close()

    def done(self, pair: "_Pair") -> None:
        self._pairs.discard(pair)

    def _look(self) -> None:
        """Listen if the container does; else look again, less and less often, up to four times a second."""
        if self._diag is None or self._backend[1] in listening_ports(self._diag):
            # From now on connections of ours may linger in TIME_WAIT; the next owner of the port binds beside those.
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._sock.listen(1024)
            self._listening = True
            self._pause = _FIRST_LOOK
            self._loop.watch(self._sock.fileno(), READ, self._knock)
            return
        self._timer = self._loop.later(self._pause, self._look)
        self._pause = min(self._pause * 2, _LAST_LOOK)

    def _silence(self) -> None:
        """Bound but not listening again: shutdown ends the listening and keeps the port (tcp_disconnect)."""
        if self._listening:
            self._listening = False
            self._loop.forget(self._sock.fileno())
            try:
                self._sock.shutdown(socket.SHUT_RDWR)
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
            except OSError:
                return

    def _knock(self, _: int) -> None:
        """Somebody waits: call the backend first."""
        self._loop.forget(self._sock.fileno())
        backend = socket.socket(_family(self._backend[0]), socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        backend.setblocking(False)
        self._dialling = backend
        self._timer = self._loop.later(_CONNECT, self._refused)
        code = backend.connect_ex(self._backend)
        if code not in (0, errno.EINPROGRESS):
            self._refused()
            return
        self._loop.watch(backend.fileno(), WRITE, self._answered)

    def _undial(self) -> None:
        if self._dialling is not None:
            self._loop.forget(self._dialling.fileno())
            self._dialling.close()
            self._dialling = None

    def _answered(self, _: int) -> None:
        backend = self._dialling
        assert backend is not None
        self._timer.cancel()
        if backend.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._refused()
            return
        self._loop.forget(backend.fileno())
        self._dialling = None
        try:
            client, _address = self._sock.accept()
        except OSError:
            backend.close()
        else:
            self._pairs.add(_Pair(self._loop, self, client, backend))
        self._loop.watch(self._sock.fileno(), READ, self._knock)

    def _refused(self) -> None:
        """The program listens no more: those who wait are reset, and who comes next is refused."""
        self._timer.cancel()
        self._undial()
        while True:
            try:
                client, _address = self._sock.accept()
            except OSError:
                break
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            client.close()
        self._silence()
        self._timer = self._loop.later(self._pause, self._look)


class _Half:
    """One direction: what was read here and waits to be written there."""

    __slots__ = ("data", "ended", "sink", "source")

    def __init__(self, source: socket.socket, sink: socket.socket) -> None:
        self.source = source
        self.sink = sink
        self.data = memoryview(b"")
        self.ended = False


class _Pair:
    """A client and its backend; each end's close is passed on by itself (half-close)."""

    def __init__(self, loop: Loop, proxy: TcpProxy, client: socket.socket, backend: socket.socket) -> None:
        self._loop = loop
        self._proxy = proxy
        self._socks = (client, backend)
        self._halves = (_Half(client, backend), _Half(backend, client))
        self._open = True
        for sock in self._socks:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wait()

    def close(self) -> None:
        if self._open:
            self._open = False
            for sock in self._socks:
                self._loop.forget(sock.fileno())
                sock.close()
            self._proxy.done(self)

    def _wait(self) -> None:
        """Wait for what is wanted next: data where nothing is pending, room where something is."""
        for sock in self._socks:
            events = 0
            for half in self._halves:
                if half.source is sock and not half.ended and not half.data:
                    events |= READ
                if half.sink is sock and half.data:
                    events |= WRITE
            if events:
                self._loop.watch(sock.fileno(), events, self._ready)
            else:
                self._loop.forget(sock.fileno())

    def _ready(self, _: int) -> None:
        try:
            for half in self._halves:
                self._move(half)
        except OSError:
            self.close()
            return
        if all(half.ended and not half.data for half in self._halves):
            self.close()
        else:
            self._wait()

    def _move(self, half: _Half) -> None:
        if not half.data and not half.ended:
            try:
                got = half.source.recv(_CHUNK)
            except BlockingIOError:
                return
            half.data, half.ended = memoryview(got), not got
            if half.ended:
                half.sink.shutdown(socket.SHUT_WR)
        if half.data:
            try:
                half.data = half.data[half.sink.send(half.data) :]
            except BlockingIOError:
                return


class UdpProxy:
    """Each client has a socket of its own towards the backend, so that answers find their way; idle ones are closed."""

    def __init__(self, loop: Loop, sock: socket.socket, backend: tuple[str, int]) -> None:
        self._loop = loop
        self._sock = sock
        self._backend = backend
        self._clients: dict[tuple[object, ...], tuple[socket.socket, Timer]] = {}
        sock.setblocking(False)
        # It was reserved with the smallest buffer there is.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)
        # Answers must leave from the very address that was asked, also on a socket bound to all of them.
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVPKTINFO, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        loop.watch(sock.fileno(), READ, self._inbound)

    def close(self) -> None:
        self._loop.forget(self._sock.fileno())
        for client in list(self._clients):
            self._expire(client)

    def _expire(self, client: tuple[object, ...]) -> None:
        backend, timer = self._clients.pop(client)
        timer.cancel()
        self._loop.forget(backend.fileno())
        backend.close()

    def _inbound(self, _: int) -> None:
        for _turn in range(64):
            try:
                data, ancillary, _flags, client = self._sock.recvmsg(65535, 128)
            except OSError:
                return
            own = [(level, kind, self._outgoing(kind, bytes(value))) for level, kind, value in ancillary]
            known = self._clients.get(client)
            if known is None:
                if len(self._clients) >= _MOST_UDP_CLIENTS:
                    continue
                backend = socket.socket(_family(self._backend[0]), socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
                backend.setblocking(False)
                backend.connect(self._backend)
                self._loop.watch(backend.fileno(), READ, partial(self._outbound, backend, client, own))
            else:
                backend, timer = known
                timer.cancel()
            self._clients[client] = (backend, self._loop.later(_UDP_IDLE, partial(self._expire, client)))
            try:
                backend.send(data)
            except OSError:
                continue

    @staticmethod
    def _outgoing(kind: int, value: bytes) -> bytes:
        if kind == _IPV6_PKTINFO:
            return value[:16] + bytes(4)
        # struct in_pktinfo: interface, address to send from, address that was asked.
        return bytes(4) + value[8:12] + bytes(4)

    def _outbound(self, backend: socket.socket, client: tuple[object, ...], own: list[tuple[int, int, bytes]], _: int) -> None:
        try:
            data = backend.recv(65535)
            self._sock.sendmsg([data], own, 0, client)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNREFUSED):
                os.write(2, f"netd: udp proxy: {error}\n".encode())
