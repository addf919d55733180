"""The driver ``syslog``: RFC 3164 and RFC 5424 over unix sockets, udp, tcp and TLS, as moby ``daemon/logger/syslog``."""

import os
import time

from argosy.runtime.logs.link import DialError, Link, TlsFiles

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
_FORMATS = ("", "rfc3164", "rfc5424", "rfc5424micro")


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


def target(address: str) -> tuple[str, str]:
    """Return (scheme, place) of ``syslog-address``: ``udp://h:p``, ``tcp://h``, ``tcp+tls://h:p``, ``unix://p``, ``unixgram://p``."""
    scheme, separator, rest = address.partition("://")
    if not separator:
        raise SyslogOptionError(f"syslog-address should be in form proto://address, got {address}")
    if scheme in ("unix", "unixgram"):
        return scheme, rest
    if scheme not in ("udp", "tcp", "tcp+tls"):
        raise SyslogOptionError(f"unsupported scheme: '{scheme}'")
    has_port = ":" in rest.rpartition("]")[2]
    return scheme, rest if has_port else f"{rest}:514"


class Syslog:
    """`sender.Driver`. A server that does not take a message, also not on a new connection, costs the message."""

    eager = False

    def __init__(self, options: "Mapping[str, str]", attributes: "Mapping[str, str]") -> None:
        self._facility = facility(options.get("syslog-facility", ""))
        self._format = options.get("syslog-format", "")
        if self._format not in _FORMATS:
            raise SyslogOptionError("Invalid syslog format")
        self._address = options.get("syslog-address", "")
        self._tls = _tls(options) if self._address.startswith("tcp+tls://") else None
        self._link = Link(*target(self._address), tls=self._tls) if self._address else Link("unixgram", _LOCAL[0])
        self._tag = options.get("tag") or options.get("argosy.id", "")[:12]
        self._host = os.uname().nodename

    def check(self) -> None:
        """Raises ValueError and OSError in Docker's words."""
        if self._tls is not None:
            self._tls.check()
        self._connect()

    def encode(self, stream: int, partial: bool, time_ns: int, line: bytes) -> bytes:
        if not line:
            return b""
        priority = self._facility * 8 + _SEVERITY[stream]
        message = header(self._format, priority, self._tag, self._host, time_ns).encode() + line + b"\n"
        if self._tls is not None and self._format.startswith("rfc5424"):
            return b"%d %s" % (len(message), message)  # RFC 5425, 4.3
        return message

    def deliver(self, record: bytes) -> None:
        if self._link.gone():
            self._link.close()
        if not self._link.connected:
            self._connect()
        self._link.send(record)

    def retry(self, attempt: int) -> float | None:
        return 0 if attempt == 1 else None

    def close(self) -> None:
        self._link.close()

    def _connect(self) -> None:
        """Without an address the machine's own log is meant, wherever it listens, datagram or stream."""
        if self._address:
            self._link.connect()
            return
        for path in _LOCAL:
            for scheme in ("unixgram", "unix"):
                self._link = Link(scheme, path)
                try:
                    self._link.connect()
                    return
                except DialError:
                    continue
        raise DialError(2, "Unix syslog delivery error")


def _tls(options: "Mapping[str, str]") -> TlsFiles:
    return TlsFiles(
        options.get("syslog-tls-ca-cert", ""),
        options.get("syslog-tls-cert", ""),
        options.get("syslog-tls-key", ""),
        # Docker looks whether the option is there, not at its value.
        skip_verify="syslog-tls-skip-verify" in options,
    )


def header(form: str, priority: int, tag: str, host: str, now_ns: int) -> str:
    """Return what stands before the message. Without a format the host's name is left out, to a remote server too, as in Docker."""
    seconds, nanoseconds = divmod(now_ns, 1_000_000_000)
    process = os.getppid()
    if form.startswith("rfc5424"):
        fraction = f".{nanoseconds // 1000:06d}" if form == "rfc5424micro" else ""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + fraction + "Z"
        return f"<{priority}>1 {stamp} {host} {tag} {process} {tag} - "
    stamp = time.strftime("%b %e %H:%M:%S", time.localtime(seconds))
    where = f"{host} " if form == "rfc3164" else ""
    return f"<{priority}>{stamp} {where}{tag}[{process}]: "
