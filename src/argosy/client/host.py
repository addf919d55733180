"""Where a daemon is: ``unix:///run/argosy.sock``, ``tcp://10.0.0.1:2376``, ``ssh://me@host``, ``fd://`` refused."""

from __future__ import annotations

from argosy.client.errors import InvalidHostError

DEFAULT_HOST = "unix:///run/argosy.sock"
_PORT, _TLS_PORT = 2375, 2376


class Host:
    """A parsed address.

    ``kind`` is unix, tcp or ssh; ``address`` the socket's path or the machine; ``port`` 0 where none is said;
    ``user`` only for ssh; ``path`` a prefix of every request (tcp) or the remote socket (ssh).
    """

    __slots__ = ("address", "kind", "path", "port", "user")

    def __init__(self, kind: str, address: str, port: int = 0, user: str = "", path: str = "") -> None:
        self.kind = kind
        self.address = address
        self.port = port
        self.user = user
        self.path = path

    @property
    def header(self) -> str:
        """What goes into the Host field; a unix path may not appear there (Go refuses it)."""
        if self.kind != "tcp":
            return "argosy"
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def parse_host(text: str, *, tls: bool = False) -> Host:
    """Parse what ``-H`` and ``DOCKER_HOST`` hold; a bare name means tcp, as docker has it.

    Raises InvalidHostError.
    """
    text = text.strip()
    if not text:
        return parse_host(DEFAULT_HOST)
    kind, separator, rest = text.partition("://")
    if not separator:
        kind, rest = "tcp", text
    if kind == "unix":
        return Host("unix", rest or DEFAULT_HOST.removeprefix("unix://"))
    if kind in ("tcp", "http", "https"):
        return _tcp(text, rest, tls or kind == "https")
    if kind == "ssh":
        return _ssh(text, rest)
    raise InvalidHostError(f"unable to parse docker host `{text}`: unsupported protocol: {kind}")


def _tcp(text: str, rest: str, tls: bool) -> Host:
    authority, slash, path = rest.partition("/")
    address, port = _authority(text, authority)
    if "@" in address:
        raise InvalidHostError(f"invalid bind address ({text}): should not contain user info")
    prefix = (slash + path).rstrip("/")
    return Host("tcp", address or "localhost", port or (_TLS_PORT if tls else _PORT), path=prefix)


def _ssh(text: str, rest: str) -> Host:
    """As docker: a user and a port may be said, a password, a query or a fragment may not."""
    authority, slash, path = rest.partition("/")
    if "?" in rest:
        raise InvalidHostError(f'ssh host connection is not valid: extra query after the host: "{rest.partition("?")[2]}"')
    if "#" in rest:
        raise InvalidHostError(f'ssh host connection is not valid: extra fragment after the host: "{rest.partition("#")[2]}"')
    user, _, machine = authority.rpartition("@")
    if ":" in user:
        raise InvalidHostError("ssh host connection is not valid: plain-text password is not supported")
    address, port = _authority(text, machine)
    if not address or address.startswith("-"):
        raise InvalidHostError("ssh host connection is not valid: no host specified")
    return Host("ssh", address, port, user, slash + path if path else "")


def _authority(text: str, authority: str) -> tuple[str, int]:
    """Split ``name:port`` and ``[::1]:port``."""
    if authority.startswith("["):
        address, bracket, rest = authority[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise InvalidHostError(f'unable to parse docker host "{text}"')
        port = rest[1:]
    else:
        address, _, port = authority.rpartition(":") if ":" in authority else (authority, "", "")
    if port and not (port.isdecimal() and 0 < int(port) < 65536):
        raise InvalidHostError(f'unable to parse docker host "{text}": invalid port ":{port}"')
    return address, int(port or 0)
