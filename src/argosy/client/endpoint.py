"""Which daemon is meant: ``-H``, else ARGOSY_HOST, else DOCKER_HOST, else the current context, else the local socket."""

from __future__ import annotations

import os

from argosy.client.errors import InvalidHostError
from argosy.client.host import DEFAULT_HOST, Host, parse_host

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.client.contexts import ContextStore


class Tls:
    """Which certificates are used and whether the daemon's is checked."""

    __slots__ = ("ca", "cert", "key", "verify")

    def __init__(self, ca: str | None, cert: str | None, key: str | None, verify: bool) -> None:
        self.ca = ca
        self.cert = cert
        self.key = key
        self.verify = verify


class Endpoint:
    """A daemon's address with what is needed to talk to it; ``context`` is the name it was found under."""

    __slots__ = ("context", "host", "text", "tls")

    def __init__(self, text: str, tls: Tls | None = None, context: str = "default") -> None:
        self.text = text
        self.tls = tls
        self.context = context
        self.host: Host = parse_host(text, tls=tls is not None)


class TlsFlags:
    """``--tls``, ``--tlsverify`` and the three files, as far as they were given."""

    __slots__ = ("ca", "cert", "key", "tls", "verify")

    def __init__(self, tls: bool = False, verify: bool | None = None, ca: str = "", cert: str = "", key: str = "") -> None:
        self.tls = tls
        self.verify = verify
        self.ca = ca
        self.cert = cert
        self.key = key


def config_directory(environ: Mapping[str, str]) -> str:
    """Return where Argosy's client keeps its configuration: ARGOSY_CONFIG, else the XDG place."""
    if directory := environ.get("ARGOSY_CONFIG"):
        return directory
    base = environ.get("XDG_CONFIG_HOME") or os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".config")
    return os.path.join(base, "argosy")


def docker_config_directory(environ: Mapping[str, str]) -> str:
    """Return where docker's client keeps its logins and certificates."""
    return environ.get("DOCKER_CONFIG") or os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".docker")


def find(
    environ: Mapping[str, str],
    *,
    host: str = "",
    context: str = "",
    flags: TlsFlags | None = None,
    directory: str = "",
) -> Endpoint:
    """Return the daemon that is meant.

    Raises InvalidHostError, also when both a host and a context are given, and ContextError for an unknown context.
    """
    if host and context:
        raise InvalidHostError("conflicting options: cannot specify both --host and --context")
    directory = directory or config_directory(environ)
    said = host or ("" if context else environ.get("ARGOSY_HOST") or environ.get("DOCKER_HOST") or "")
    if said:
        return Endpoint(said, _tls(environ, flags or TlsFlags()) if not said.startswith(("unix://", "ssh://")) else None)
    name = context or current_context(environ, directory)
    if name == "default":
        return Endpoint(DEFAULT_HOST)
    from argosy.client.contexts import ContextStore

    return _of_context(ContextStore(directory), name)


def current_context(environ: Mapping[str, str], directory: str) -> str:
    """Return the name of the context in use; a host in the environment means ``default``, as in docker."""
    if environ.get("ARGOSY_HOST") or environ.get("DOCKER_HOST"):
        return "default"
    if name := environ.get("ARGOSY_CONTEXT") or environ.get("DOCKER_CONTEXT"):
        return name
    from argosy.client.contexts import load_config

    return str(load_config(directory).get("currentContext") or "default")


def _of_context(store: ContextStore, name: str) -> Endpoint:
    stored = store.get(name)
    files = store.tls_files(name)
    secured = bool(files) or stored.skip_tls_verify
    tls = Tls(files.get("ca"), files.get("cert"), files.get("key"), not stored.skip_tls_verify) if secured else None
    return Endpoint(stored.host or DEFAULT_HOST, tls, name)


def _tls(environ: Mapping[str, str], flags: TlsFlags) -> Tls | None:
    """Decide on TLS as docker does: ``--tlsverify`` or DOCKER_TLS_VERIFY asks for it, DOCKER_CERT_PATH says where."""
    verify = flags.verify if flags.verify is not None else bool(environ.get("DOCKER_TLS_VERIFY"))
    if not (flags.tls or verify or environ.get("DOCKER_TLS")):
        return None
    directory = environ.get("DOCKER_CERT_PATH") or docker_config_directory(environ)
    ca, cert, key = (
        said or os.path.join(directory, name) for said, name in ((flags.ca, "ca.pem"), (flags.cert, "cert.pem"), (flags.key, "key.pem"))
    )
    # A file that nobody named and that is not there is not an error: certificates of the client are optional.
    return Tls(
        _wanted(ca, flags.ca) if verify else None,
        _wanted(cert, flags.cert),
        _wanted(key, flags.key),
        verify,
    )


def _wanted(path: str, said: str) -> str | None:
    return path if said or os.path.exists(path) else None
