"""Where the API listens: ``unix:///path``, ``tcp://host:port`` (with TLS or, if said, without), ``fd://`` from systemd."""

import asyncio
import errno
import grp
import logging
import os
import socket
import ssl
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass

from argosy.base.errors import InvalidParameterError, SystemFailureError

_log = logging.getLogger(__name__)

BACKLOG = 1024
PLAIN_PORT, TLS_PORT = 2375, 2376
_FIRST_PASSED_FD = 3
"""sd_listen_fds(3)."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Paths; with ``ca`` every client must show a certificate that it signed (``--tlsverify``)."""

    certificate: str
    key: str
    ca: str = ""


@dataclass(frozen=True, slots=True)
class Listener:
    address: str
    socket: socket.socket
    tls: ssl.SSLContext | None = None
    remove: tuple[str, int, int] | None = None
    """Path, device and inode of a unix socket that is ours to unlink."""


def tls_context(files: TlsFiles) -> ssl.SSLContext:
    """Return a server context: TLS 1.2 or newer, and client certificates where a CA is given."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(files.certificate, files.key)
        if files.ca:
            context.load_verify_locations(files.ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise InvalidParameterError(f"could not load the TLS key pair or CA ({files.certificate}, {files.key}): {error}") from error
    context.set_alpn_protocols(["http/1.1"])
    return context


def open_listeners(address: str, *, group: str = "", tls: TlsFiles | None = None, allow_plain_tcp: bool = False) -> list[Listener]:
    """Bind an address as ``-H`` gives it and return its listeners (``fd://`` and host names may give several).

    Raises InvalidParameterError for an address that cannot be meant, SystemFailureError when the host refuses it.
    """
    scheme, separator, rest = address.partition("://")
    if not separator:
        scheme, rest = ("unix", address) if address.startswith("/") else ("tcp", address)
    if scheme == "unix":
        return [unix_listener(rest or "/run/argosy.sock", group)]
    if scheme == "fd":
        return passed_listeners(rest)
    if scheme != "tcp":
        raise InvalidParameterError(f"invalid bind address format: {address}")
    if tls is None and not allow_plain_tcp:
        raise InvalidParameterError(
            f"{address}: TCP without TLS lets anybody who reaches it become root on this host; "
            "give --tlsverify with --tlscacert, --tlscert and --tlskey, or say --tls=false to accept that"
        )
    return tcp_listeners(rest, tls_context(tls) if tls else None)


def unix_listener(path: str, group: str) -> Listener:
    """Bind a unix socket with mode 0660 that belongs to root and the group, replacing one nobody serves."""
    if path.startswith("@"):
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        made.bind("\0" + path[1:])
        made.listen(BACKLOG)
        return Listener(f"unix://{path}", made)
    _clear_stale(path)
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        # Between bind and chmod nobody else may connect.
        old = os.umask(0o177)
        try:
            made.bind(path)
        finally:
            os.umask(old)
        _give_to_group(path, group)
        os.chmod(path, 0o660)
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        raise SystemFailureError(f"cannot listen on unix://{path}: {error.strerror}") from error
    status = os.stat(path)
    return Listener(f"unix://{path}", made, remove=(path, status.st_dev, status.st_ino))


def _clear_stale(path: str) -> None:
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            raise InvalidParameterError(f"cannot listen on unix://{path}: it exists and is not a socket")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError as error:
            if error.errno in (errno.ECONNREFUSED, errno.ENOENT):
                os.unlink(path)
                return
            raise SystemFailureError(f"cannot listen on unix://{path}: {error.strerror}") from error
    raise SystemFailureError(f"cannot listen on unix://{path}: another daemon answers there")


def _give_to_group(path: str, group: str) -> None:
    if not group:
        return
    try:
        gid = int(group) if group.isdecimal() else grp.getgrnam(group).gr_gid
    except KeyError:
        # As dockerd: a missing group only narrows who may connect.
        _log.warning("group %s not found: only root can use %s", group, path)
        return
    os.chown(path, 0, gid)


def tcp_listeners(rest: str, context: ssl.SSLContext | None) -> list[Listener]:
    host, _, port_text = rest.rpartition(":") if ":" in rest and not rest.endswith("]") else (rest, "", "")
    port_text = port_text.rstrip("/") or str(TLS_PORT if context else PLAIN_PORT)
    if not port_text.isdecimal() or int(port_text) > 65535:
        raise InvalidParameterError(f"invalid bind address (tcp://{rest}): invalid port {port_text}")
    host = host.strip("[]") or "127.0.0.1"
    try:
        found = socket.getaddrinfo(host, int(port_text), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise InvalidParameterError(f"invalid bind address (tcp://{rest}): {error.strerror}") from error
    listeners: list[Listener] = []
    try:
        for family, _, _, _, bound in found:
            listeners.append(_tcp_listener(family, bound, context))
    except OSError as error:
        for listener in listeners:
            listener.socket.close()
        raise SystemFailureError(f"cannot listen on tcp://{rest}: {error.strerror}") from error
    return listeners


def _tcp_listener(family: int, bound: tuple[object, ...], context: ssl.SSLContext | None) -> Listener:
    made = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(bound)
        made.listen(BACKLOG)
    except OSError:
        made.close()
        raise
    host, port = made.getsockname()[:2]
    return Listener(f"tcp://[{host}]:{port}" if family == socket.AF_INET6 else f"tcp://{host}:{port}", made, context)


def passed_listeners(which: str) -> list[Listener]:
    """Return what systemd passed (sd_listen_fds(3)): all of it, or the one with this name or number."""
    names = _passed_names()
    if which in ("", "*"):
        chosen = list(range(len(names)))
    else:
        chosen = [i for i, name in enumerate(names) if which in (name, str(i), str(_FIRST_PASSED_FD + i))]
    if not chosen:
        raise InvalidParameterError(f"fd://{which}: no sockets found via socket activation: make sure the service was started by systemd")
    listeners = []
    for i in chosen:
        made = socket.socket(fileno=_FIRST_PASSED_FD + i)
        made.setblocking(False)
        os.set_inheritable(made.fileno(), False)
        listeners.append(Listener(f"fd://{names[i]}", made))
    return listeners


def _passed_names() -> list[str]:
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = int(os.environ.get("LISTEN_FDS") or 0)
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    return [names[i] if i < len(names) and names[i] else str(_FIRST_PASSED_FD + i) for i in range(count)]


def close_listener(listener: Listener) -> None:
    """Close it and unlink its path, unless another daemon's socket stands there by now."""
    listener.socket.close()
    if listener.remove is None:
        return
    path, device, inode = listener.remove
    try:
        status = os.stat(path)
        if (status.st_dev, status.st_ino) == (device, inode):
            os.unlink(path)
    except OSError:
        pass


async def serve(listener: Listener, factory: Callable[[], asyncio.Protocol]) -> asyncio.AbstractServer:
    """Accept connections; returns the running server."""
    loop = asyncio.get_running_loop()
    if listener.socket.family == socket.AF_UNIX and sys.version_info >= (3, 13):
        # Since 3.13 asyncio unlinks the path itself, also that of a socket which systemd holds.
        return await loop.create_unix_server(factory, sock=listener.socket, backlog=BACKLOG, cleanup_socket=False)
    if listener.socket.family == socket.AF_UNIX:
        return await loop.create_unix_server(factory, sock=listener.socket, backlog=BACKLOG)
    return await loop.create_server(factory, sock=listener.socket, backlog=BACKLOG)
