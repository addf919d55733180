"""Published ports: what was asked (pure), and really binding them before anybody says yes.

A reserved TCP port is bound and does not listen, so that until the program does the kernel refuses connections to it; the
packet rules redirect before a socket is looked up. Its socket lives in netd. Words are Docker's.
"""

import errno
import ipaddress
import itertools
import os
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from argosy.base.errors import InvalidParameterError, SystemFailureError
from argosy.network.drivers.options import BridgeOptions
from argosy.network.model import PortBinding, SandboxRequest

PROTOCOLS = ("tcp", "udp", "sctp")
_IPPROTO_SCTP = 132


@dataclass(frozen=True, slots=True)
class Wanted:
    """One binding: container port, and a host address with the ports to choose from."""

    proto: str
    container_port: int
    host_ip: str
    """Empty: all addresses, IPv4 and IPv6."""
    first: int
    last: int
    """Both zero: any free one."""


@dataclass(frozen=True, slots=True)
class Published:
    proto: str
    container_port: int
    host_ip: str
    host_port: int

    @property
    def key(self) -> str:
        """How netd and the list of what is taken name it."""
        return f"{self.proto} {self.host_ip} {self.host_port}"


@dataclass(slots=True)
class Bound:
    """Ports that were bound, with their sockets until netd has them."""

    ports: list[Published] = field(default_factory=list)
    sockets: list[socket.socket] = field(default_factory=list)

    def close(self) -> None:
        for sock in self.sockets:
            sock.close()
        self.sockets.clear()


def parse_port(text: str) -> tuple[int, str]:
    """Return (80, "tcp") of ``80/tcp`` or ``80``. Raises InvalidParameterError."""
    number, _, proto = text.partition("/")
    return _number(number), (proto or "tcp").lower()


def _number(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > 65535:
        raise InvalidParameterError(f'invalid port specification: "{text}"')
    return int(text)


def parse_range(text: str) -> tuple[int, int]:
    """Return (first, last) of a host port or range; (0, 0) for none. Raises InvalidParameterError."""
    if text in ("", "0"):
        return 0, 0
    low, dash, high = text.partition("-")
    try:
        first, last = _number(low), _number(high) if dash else _number(low)
    except InvalidParameterError as error:
        raise InvalidParameterError(f'invalid port specification: "{text}"') from error
    if last < first:
        raise InvalidParameterError(f'invalid port specification: "{text}"')
    return first, last


def wanted(request: SandboxRequest) -> list[Wanted]:
    """Return every binding that the container asks for, by container port. Raises InvalidParameterError, SystemFailureError."""
    found = []
    ports: dict[str, tuple[PortBinding, ...]] = {}
    if request.publish_all:
        ports.update((port, (PortBinding(),)) for port in request.exposed_ports)
    ports.update((port, bindings) for port, bindings in request.port_bindings.items() if bindings or port not in ports)
    for text, bindings in ports.items():
        number, proto = parse_port(text)
        if proto not in PROTOCOLS:
            raise SystemFailureError("unknown protocol")
        for binding in bindings:
            found.append(Wanted(proto, number, _host_ip(binding.host_ip), *parse_range(binding.host_port)))
    found.sort(key=lambda want: (want.container_port, want.proto))
    return found


def adapted(wants: Iterable[Wanted], options: BridgeOptions, *, default: bool, ipv6: bool) -> list[Wanted]:
    """Return what is to be bound for a container on a network with these options: nothing where it routes, its own host address.

    ``default``: the predefined network, whose host address is the daemon's; ``ipv6``: the container has IPv6 there.
    """
    routed = {version: options.gateway_mode(version) == "routed" for version in (4, 6)}
    found = []
    for want in wants:
        address = want.host_ip
        if not address and options.host_binding not in ("", "0.0.0.0") and not default:
            address = options.host_binding
        if not address and (routed[4] or routed[6]):
            # What is left of "all addresses".
            address = "" if routed[4] and (routed[6] or not ipv6) else "::" if routed[4] else "0.0.0.0"
            if not address:
                continue
        if not address or not routed[6 if ":" in address else 4]:
            found.append(replace(want, host_ip=address))
    return found


def _host_ip(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text)) if text else ""
    except ValueError:
        # dockerd takes what is no address for all of them.
        return ""


def overlap(one: Published, other: Published) -> bool:
    """Whether two ports cannot both be had."""
    if (one.proto, one.host_port) != (other.proto, other.host_port) or (":" in one.host_ip) != (":" in other.host_ip):
        return False
    return one.host_ip == other.host_ip or any(port.host_ip in ("0.0.0.0", "::") for port in (one, other))


def local_range() -> tuple[int, int]:
    """Return the ports that the kernel chooses from (ip(7)); Docker chooses from the same."""
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
            low, high = file.read().split()
        return int(low), int(high)
    except (OSError, ValueError):
        return 49153, 65535


class HostPorts:
    """What of the host's ports is taken by this daemon; binds the rest."""

    def __init__(self, *, default_ip: str, ipv6: Callable[[], bool], proxy: bool) -> None:
        self._default_ip = default_ip
        self._ipv6 = ipv6
        self._proxy = proxy
        self._taken: dict[str, tuple[Published, str]] = {}
        self._next = 0

    def addresses(self, want: Wanted, *, ipv6_target: bool) -> tuple[str, ...]:
        """Return the host addresses of a binding; IPv6 is left out where nothing could carry it to the container."""
        if want.host_ip:
            return (want.host_ip,)
        if self._default_ip not in ("", "0.0.0.0"):
            return (self._default_ip,)
        return ("0.0.0.0", "::") if self._ipv6() and (ipv6_target or self._proxy) else ("0.0.0.0",)

    def take(self, port: Published, owner: str) -> None:
        self._taken[port.key] = (port, owner)

    def release(self, ports: Iterable[Published]) -> None:
        for port in ports:
            self._taken.pop(port.key, None)

    def bind(self, wants: Iterable[Wanted], owner: str, targets: Mapping[bool, str]) -> Bound:
        """Bind all of them or none; ``targets``: container address by "is IPv6", for messages.

        Raises SystemFailureError ``Bind for 0.0.0.0:80 failed: port is already allocated`` or ``failed to bind host port …``.
        """
        bound = Bound()
        try:
            for want in wants:
                self._bind_one(want, owner, targets, bound)
        except BaseException:
            bound.close()
            self.release(bound.ports)
            raise
        return bound

    def _bind_one(self, want: Wanted, owner: str, targets: Mapping[bool, str], bound: Bound) -> None:
        if want.first:
            candidates: Iterable[int] = range(want.first, want.last + 1)
        else:
            candidates = self._free_ports()
        error: Exception | None = None
        for number in candidates:
            ports = [
                Published(want.proto, want.container_port, address, number)
                for address in self.addresses(want, ipv6_target=bool(targets.get(True)))
            ]
            try:
                sockets = self._bind_all(ports, targets)
            except SystemFailureError as problem:
                error = problem
                if not isinstance(problem.__cause__, OSError) or problem.__cause__.errno == errno.EADDRINUSE:
                    continue
                raise
            for port in ports:
                self.take(port, owner)
            bound.ports.extend(ports)
            bound.sockets.extend(sockets)
            return
        raise error or SystemFailureError("all ports are allocated")

    def _free_ports(self) -> Iterable[int]:
        """Yield the kernel's range, beginning behind the last one given, so that a port does not come back at once."""
        low, high = local_range()
        start = self._next if low <= self._next <= high else low
        for number in itertools.chain(range(start, high + 1), range(low, start)):
            self._next = number + 1
            yield number

    def _bind_all(self, ports: list[Published], targets: Mapping[bool, str]) -> list[socket.socket]:
        for port in ports:
            if any(overlap(port, other) for other, _ in self._taken.values()):
                shown = f"[{port.host_ip}]" if ":" in port.host_ip else port.host_ip
                raise SystemFailureError(f"Bind for {shown}:{port.host_port} failed: port is already allocated")
        sockets: list[socket.socket] = []
        try:
            for port in ports:
                sockets.append(bind_socket(port))
        except OSError as error:
            for sock in sockets:
                sock.close()
            six = ":" in port.host_ip
            shown = f"[{port.host_ip}]" if six else port.host_ip
            target = targets.get(six) or targets.get(False) or ""
            inside = f"[{target}]" if ":" in target else target
            why = os.strerror(error.errno or 0)
            raise SystemFailureError(
                f"failed to bind host port for {shown}:{port.host_port}:{inside}:{port.container_port}/{port.proto}: "
                f"{why[:1].lower()}{why[1:]}"
            ) from error
        return sockets


def bind_socket(port: Published) -> socket.socket:
    """Return a socket bound to the port and not listening. Raises OSError.

    SO_REUSEADDR only at the second attempt: with it on both sides Linux lets two sockets share a port as long as neither
    listens; without it, connections of a former proxy in TIME_WAIT would keep the port for a minute.
    """
    family = socket.AF_INET6 if ":" in port.host_ip else socket.AF_INET
    kind = socket.SOCK_DGRAM if port.proto == "udp" else socket.SOCK_STREAM
    for reuse in (False, True):
        sock = socket.socket(family, kind | socket.SOCK_CLOEXEC, _IPPROTO_SCTP if port.proto == "sctp" else 0)
        try:
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if reuse:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if port.proto == "udp":
                # Nobody reads it where packets are redirected: it shall not hoard any.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            sock.bind((port.host_ip, port.host_port))
            if reuse:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
            return sock
        except OSError as error:
            sock.close()
            if reuse or error.errno != errno.EADDRINUSE or port.proto == "udp":
                raise
    raise AssertionError("unreachable")
