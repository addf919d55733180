"""What netd holds and what the daemon may ask of it."""

import os
import socket
import sys
from functools import partial

from argosy.network.dns.answer import View
from argosy.network.dns.names import Member, Names
from argosy.network.netd import proxy, wire
from argosy.network.netd.loop import READ, WRITE, Loop
from argosy.network.netd.resolver import Resolver
from argosy.network.netd.upstream import HostServers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Port:
    __slots__ = ("owner", "proxy", "sock")

    def __init__(self, owner: str, sock: socket.socket) -> None:
        self.owner = owner
        self.sock = sock
        self.proxy: proxy.TcpProxy | proxy.UdpProxy | None = None

    def close(self) -> None:
        if self.proxy is not None:
            self.proxy.close()
        self.sock.close()


class Server:
    """Requests name what they want in ``op``; each handler is the method of that name and returns the answer."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._names = Names()
        self._ports: dict[str, _Port] = {}
        self._resolvers: dict[str, Resolver] = {}
        self._ends: dict[str, int] = {}
        self._hosts: dict[str, HostServers] = {}

    def busy(self) -> bool:
        """Whether anything is held that would be lost."""
        return bool(self._ports or self._resolvers)

    def handle(self, request: "dict[str, Any]", fds: list[int]) -> "dict[str, Any]":
        handler = getattr(self, "op_" + str(request.get("op")), None)
        try:
            if handler is None:
                raise ValueError(f"unknown request {request.get('op')!r}")
            answer: dict[str, Any] = handler(request, fds) or {}
        except Exception as error:  # the one root of requests: whatever goes wrong is the asker's to know
            for fd in fds:
                try:
                    os.close(fd)
                except OSError:
                    continue
            return {"seq": request.get("seq"), "error": f"{type(error).__name__}: {error}"}
        answer["seq"] = request.get("seq")
        return answer

    def op_hello(self, _: "dict[str, Any]", __: list[int]) -> "dict[str, Any]":
        return {
            "version": wire.VERSION,
            "pid": os.getpid(),
            "ports": {key: port.owner for key, port in self._ports.items()},
            "resolvers": {id: resolver.pid for id, resolver in self._resolvers.items()},
        }

    def op_hold(self, request: "dict[str, Any]", fds: list[int]) -> None:
        """Keep sockets that reserve ports."""
        for key in request["keys"]:
            sock = socket.socket(fileno=fds.pop(0))
            old = self._ports.pop(key, None)
            if old is not None:
                old.close()
            self._ports[key] = _Port(request["owner"], sock)

    def op_serve(self, request: "dict[str, Any]", fds: list[int]) -> None:
        """Proxy a held port to a container; the descriptor is a sock_diag socket made in its namespace."""
        port = self._ports[request["key"]]
        if port.proxy is not None:
            port.proxy.close()
            port.proxy = None
        diag = socket.socket(fileno=fds.pop(0)) if fds else None
        host, number = request["backend"]
        port.proxy = proxy.make(self._loop, request["proto"], port.sock, (host, number), diag)

    def op_unserve(self, request: "dict[str, Any]", _: list[int]) -> None:
        port = self._ports.get(request["key"])
        if port is not None and port.proxy is not None:
            port.proxy.close()
            port.proxy = None

    def op_drop(self, request: "dict[str, Any]", _: list[int]) -> None:
        """Give up ports by key."""
        for key in request["keys"]:
            port = self._ports.pop(key, None)
            if port is not None:
                port.close()

    def op_resolver(self, request: "dict[str, Any]", fds: list[int]) -> None:
        """Answer DNS for a container: UDP and TCP socket made inside, and a pidfd of its init."""
        id = request["id"]
        self._stop(id)
        udp, tcp = socket.socket(fileno=fds.pop(0)), socket.socket(fileno=fds.pop(0))
        path = request["resolv_conf"]
        host = self._hosts.setdefault(path, HostServers(path))
        self._resolvers[id] = Resolver(self._loop, self._names, self._view(request), (udp, tcp), request["pid"], request["servers"], host)
        if fds:
            end = self._ends[id] = fds.pop(0)
            self._loop.watch(end, READ, partial(self._ended, id))

    def op_view(self, request: "dict[str, Any]", _: list[int]) -> None:
        """A container joined or left a network: see other names, and perhaps other servers."""
        resolver = self._resolvers[request["id"]]
        resolver.view = self._view(request)
        resolver.servers = request["servers"]

    @staticmethod
    def _view(request: "dict[str, Any]") -> View:
        return View(request["networks"], request["links"], request["gateway4"], request["gateway6"])

    def op_join(self, request: "dict[str, Any]", _: list[int]) -> None:
        self._names.join(request["network"], request["name"], Member(request["id"], request["names"], request["v4"], request["v6"]))

    def op_leave(self, request: "dict[str, Any]", _: list[int]) -> None:
        self._names.leave(request["network"], request["id"])

    def op_names(self, request: "dict[str, Any]", _: list[int]) -> None:
        """Know these members and no others (a new daemon tells all it knows)."""
        fresh = Names()
        for entry in request["members"]:
            fresh.join(entry["network"], entry["name"], Member(entry["id"], entry["names"], entry["v4"], entry["v6"]))
        self._names.networks, self._names.members, self._names._index = fresh.networks, fresh.members, {}

    def op_release(self, request: "dict[str, Any]", _: list[int]) -> None:
        """Forget everything of a container."""
        id = request["id"]
        self._stop(id)
        self._names.forget(id)
        for key in [key for key, port in self._ports.items() if port.owner == id]:
            self._ports.pop(key).close()

    def op_stop(self, _: "dict[str, Any]", __: list[int]) -> None:
        self._loop.running = False

    def _ended(self, id: str, _: int) -> None:
        """Its init is gone, perhaps while no daemon is there to say so: let go of the namespace and answer its names no more.

        The ports stay reserved; whether it is started again is the daemon's to decide.
        """
        self._stop(id)
        self._names.forget(id)
        for port in self._ports.values():
            if port.owner == id and port.proxy is not None:
                port.proxy.close()
                port.proxy = None

    def _stop(self, id: str) -> None:
        resolver = self._resolvers.pop(id, None)
        if resolver is not None:
            resolver.close()
        end = self._ends.pop(id, None)
        if end is not None:
            self._loop.forget(end)
            os.close(end)


class Door:
    """The unix socket: one daemon at a time, the newest one counts."""

    def __init__(self, loop: Loop, server: Server, listener: socket.socket) -> None:
        self._loop = loop
        self._server = server
        self._listener = listener
        self._sock: socket.socket | None = None
        self._receiver = wire.Receiver()
        self._pending = bytearray()
        listener.setblocking(False)
        loop.watch(listener.fileno(), READ, self._accept)

    def _accept(self, _: int) -> None:
        try:
            sock, _address = self._listener.accept()
        except OSError:
            return
        self._hang_up()
        sock.setblocking(False)
        self._sock = sock
        self._loop.watch(sock.fileno(), READ, self._ready)

    def _hang_up(self) -> None:
        if self._sock is not None:
            self._loop.forget(self._sock.fileno())
            self._sock.close()
            self._sock = None
        self._receiver.close()
        self._receiver = wire.Receiver()
        self._pending.clear()

    def leave_if_useless(self) -> None:
        """End when no daemon is there and nothing is held."""
        if self._sock is None and not self._server.busy():
            self._loop.running = False

    def _ready(self, events: int) -> None:
        assert self._sock is not None
        if events & WRITE:
            self._flush()
        if not events & ~WRITE or self._sock is None:
            return
        try:
            messages = self._receiver.read(self._sock)
        except BlockingIOError:
            return
        except (OSError, ValueError) as error:
            sys.stderr.write(f"netd: {error}\n")
            messages = None
        if messages is None:
            self._hang_up()
            self.leave_if_useless()
            return
        for request, fds in messages:
            self._pending += wire.encode(self._server.handle(request, fds), 0)
        self._flush()

    def _flush(self) -> None:
        assert self._sock is not None
        try:
            while self._pending:
                del self._pending[: self._sock.send(self._pending)]
        except BlockingIOError:
            self._loop.watch(self._sock.fileno(), READ | WRITE, self._ready)
            return
        except OSError:
            self._hang_up()
            return
        self._loop.watch(self._sock.fileno(), READ, self._ready)
