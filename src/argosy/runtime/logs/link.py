"""A connection to a log server: udp, tcp, tcp with TLS, or a unix socket; made when it is needed, made again when it broke.

Used by the sender (`sender`) and by the start, which tries whether the server is there. It may wait: nobody else waits with it.
"""

import _socket as socket
import os
import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CONNECT_SECONDS = 10.0
SEND_SECONDS = 60.0
"""A server that takes nothing of a message for so long is gone."""


class DialError(OSError):
    """The server cannot be reached; the text is as Go's ``net.Dial`` has it."""

    def __str__(self) -> str:
        return str(self.args[1])


class Link:
    """``scheme``: udp, tcp, tcp+tls (also tls), unix, unixgram. ``place``: ``host:port`` or a path."""

    def __init__(self, scheme: str, place: str, *, tls: "TlsFiles | None" = None, timeout: float = SEND_SECONDS) -> None:
        self.scheme, self.place = scheme, place
        self._tls, self._timeout = tls, timeout
        self._socket: Any = None

    @property
    def stream(self) -> bool:
        return self.scheme not in ("udp", "unixgram")

    @property
    def connected(self) -> bool:
        return self._socket is not None

    def connect(self) -> None:
        """Be connected. Raises DialError."""
        if self._socket is not None:
            return
        try:
            self._socket = self._dial()
        except OSError as error:
            kind = {"tcp+tls": "tcp", "tls": "tcp"}.get(self.scheme, self.scheme)
            words = error.strerror if error.errno and error.strerror else str(error)
            raise DialError(error.errno or 0, f"dial {kind} {self.place}: connect: {words.lower()}") from error

    def send(self, data: bytes) -> None:
        """Give all of it to the server. Raises OSError, and is unconnected then."""
        self.connect()
        try:
            if self.stream:
                self._socket.sendall(data)
            else:
                self._socket.send(data)
        except OSError:
            self.close()
            raise

    def receive(self, timeout: float) -> bytes:
        """Return what the server answers. Raises OSError when it says nothing for that long, or has gone."""
        self._socket.settimeout(timeout)
        try:
            answer: bytes = self._socket.recv(4096)
        except OSError:
            self.close()
            raise
        if not answer:
            self.close()
            raise OSError(104, "connection reset by peer")
        self._socket.settimeout(self._timeout)
        return answer

    def gone(self) -> bool:
        """Return whether the server has closed the connection: what is sent then would be lost without a word (tcp(7))."""
        if self._socket is None or not self.stream or self._tls is not None:
            return False
        poll = select.poll()
        poll.register(self._socket.fileno(), select.POLLIN)
        if not poll.poll(0):
            return False
        try:
            return not self._socket.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _dial(self) -> "Any":
        if self.scheme in ("unix", "unixgram"):
            kind = socket.SOCK_STREAM if self.scheme == "unix" else socket.SOCK_DGRAM
            return self._connected(socket.AF_UNIX, kind, self.place)
        host, port = split_place(self.place)
        kind = socket.SOCK_STREAM if self.stream else socket.SOCK_DGRAM
        failed: OSError = OSError(0, f"lookup {host}: no such host")
        for family, _, _, _, address in _look_up(host, port, kind):
            try:
                link = self._connected(family, kind, address)
                return link if self._tls is None else self._tls.wrap(link, host)
            except OSError as error:
                failed = error
        raise failed

    def _connected(self, family: int, kind: int, address: "Any") -> "Any":
        link = socket.socket(family, kind | socket.SOCK_CLOEXEC)
        try:
            link.settimeout(CONNECT_SECONDS)
            link.connect(address)
            link.settimeout(self._timeout)
        except BaseException:
            link.close()
            raise
        return link


class TlsFiles:
    """What the connection is checked with; looked at when it is made, as Docker's."""

    def __init__(self, ca: str = "", cert: str = "", key: str = "", *, skip_verify: bool = False) -> None:
        self._ca, self._cert, self._key, self._skip_verify = ca, cert, key, skip_verify

    def wrap(self, link: "Any", host: str) -> "Any":
        """Return the connection under TLS. Raises OSError."""
        # Megabytes, and for few: not loaded by the launcher but here, in a process of its own.
        import ssl
        from socket import socket as Socket

        context = ssl.create_default_context(cafile=self._ca or None)
        if self._skip_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self._cert or self._key:
            context.load_cert_chain(self._cert, self._key)
        return context.wrap_socket(Socket(fileno=link.detach()), server_hostname=host)

    def check(self) -> None:
        """Raises ValueError in Docker's words for a file that cannot be read."""
        for what, path in (("CA certificate", self._ca), ("X509 key pair", self._cert), ("X509 key pair", self._key)):
            if not path:
                continue
            try:
                os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
            except OSError as error:
                words = f"open {path}: {(error.strerror or '').lower()}"
                text = f'could not read CA certificate "{path}": {words}' if what == "CA certificate" else f"could not load {what}: {words}"
                raise ValueError(text) from None


def split_place(place: str) -> tuple[str, int]:
    """Return (host, port) of ``host:port`` or ``[::1]:port``."""
    host, _, port = place.rpartition(":")
    return host.strip("[]"), int(port)


def _look_up(host: str, port: int, kind: int) -> "list[Any]":
    return socket.getaddrinfo(host or "localhost", port, 0, kind)
