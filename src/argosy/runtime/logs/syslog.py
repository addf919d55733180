"""The driver ``syslog``: RFC 3164 and RFC 5424 over unix sockets, udp and tcp, as moby ``daemon/logger/syslog``."""

import _socket as socket
import os
import time

from argosy.runtime.logs.datagram import Datagrams
from argosy.runtime.logs.lines import Lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"),
    *("ntp", "security", "console", "solaris-cron"),
    *(f"local{number}" for number in range(8)),
)
_SEVERITY = {1: 6, 2: 3}
_LOCAL = ("/dev/log", "/var/run/syslog", "/var/run/log")


class SyslogOptionError(ValueError):
    """An option is wrong; the text is Docker's."""


def facility(name: str) -> int:
    if not name:
        return 3
    if name.isdecimal() and int(name) <= 23:
        return int(name)
    if name not in _FACILITIES:
        raise SyslogOptionError("invalid syslog facility")
    return _FACILITIES.index(name)


def target(address: str) -> "tuple[str | tuple[str, int], int, int]":
    """Return (address, family, kind) of ``syslog-address``: ``udp://h:p``, ``tcp://h:p``, ``unix://p``, ``unixgram://p``."""
    scheme, separator, rest = address.partition("://")
    if not separator:
        raise SyslogOptionError(f"syslog-address should be in form proto://address, got {address}")
    if scheme == "unix":
        return rest, socket.AF_UNIX, socket.SOCK_STREAM
    if scheme == "unixgram":
        return rest, socket.AF_UNIX, socket.SOCK_DGRAM
    if scheme not in ("udp", "tcp"):
        raise SyslogOptionError(f"unsupported scheme: '{scheme}'")
    host, _, port = rest.rpartition(":") if ":" in rest and not rest.endswith("]") else (rest, "", "514")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return (host, int(port)), family, socket.SOCK_DGRAM if scheme == "udp" else socket.SOCK_STREAM


def connect(address: str) -> Datagrams:
    """Return the way to the receiver; without an address the machine's own, datagram or stream. Raises OSError."""
    if address:
        where, family, kind = target(address)
        return Datagrams(where, family, kind)
    for path in _LOCAL:
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            try:
                return Datagrams(path, socket.AF_UNIX, kind)
            except OSError:
                continue
    raise OSError(2, "Unix syslog delivery error")


class Syslog:
    def __init__(self, options: "Mapping[str, str]") -> None:
        self._facility = facility(options.get("syslog-facility", ""))
        self._format = options.get("syslog-format", "")
        if self._format not in ("", "rfc3164", "rfc5424", "rfc5424micro"):
            raise SyslogOptionError("Invalid syslog format")
        self._socket = connect(options.get("syslog-address", ""))
        self._stream = self._socket._kind == socket.SOCK_STREAM
        self._local = not options.get("syslog-address", "")
        self._tag = options.get("tag") or options.get("argosy.id", "")[:12]
        self._host = os.uname().nodename
        self._lines = {1: Lines(), 2: Lines()}

    def write(self, stream: int, data: bytes) -> None:
        for partial, text in self._lines[stream].feed(data):
            for line in [text] if partial else text.split(b"\n")[:-1]:
                self._send(stream, line)

    def end(self, stream: int) -> None:
        for _, text in self._lines[stream].end():
            self._send(stream, text)

    def close(self) -> None:
        self._socket.close()

    def _send(self, stream: int, line: bytes) -> None:
        record = header(self._format, self._facility * 8 + _SEVERITY[stream], self._tag, self._host, self._local, time.time_ns())
        self._socket.send(record.encode() + line + (b"\n" if self._stream else b""))


def header(form: str, priority: int, tag: str, host: str, local: bool, now_ns: int) -> str:
    """Return what stands before the message."""
    seconds, nanoseconds = divmod(now_ns, 1_000_000_000)
    process = os.getpid()
    if form.startswith("rfc5424"):
        fraction = f".{nanoseconds // 1000:06d}" if form == "rfc5424micro" else ""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + fraction + "Z"
        return f"<{priority}>1 {stamp} {host} {tag} {process} {tag} - "
    stamp = time.strftime("%b %e %H:%M:%S", time.localtime(seconds))
    where = "" if local else f"{host} "
    return f"<{priority}>{stamp} {where}{tag}[{process}]: "
