"""Open a connection to a daemon: unix, tcp, TLS, or through ssh. Blocking; `aio` runs it in a thread where needed."""

from __future__ import annotations

import errno
import socket

from argosy.client.errors import ConnectionFailedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl

    from argosy.client.endpoint import Endpoint, Tls
    from argosy.client.host import Host

# Long enough for a far machine, short enough that a wrong address is told before patience ends.
CONNECT_TIMEOUT = 30.0


def dial(endpoint: Endpoint) -> socket.socket:
    """Return a connected blocking socket.

    Raises ConnectionFailedError, whose text names the address and says what to look at.
    """
    host = endpoint.host
    try:
        if host.kind == "unix":
            return _unix(host.address)
        if host.kind == "ssh":
            return _ssh(host)
        return _tcp(endpoint)
    except OSError as error:
        raise failure(endpoint.text, host, error) from error


def _unix(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection


def _tcp(endpoint: Endpoint) -> socket.socket:
    host = endpoint.host
    plain = socket.create_connection((host.address, host.port), timeout=CONNECT_TIMEOUT)
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A stream of logs or events may be silent for hours; only a dead peer may end it.
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection: socket.socket = plain
        if endpoint.tls is not None:
            connection = tls_context(endpoint.tls).wrap_socket(plain, server_hostname=host.address)
        connection.settimeout(None)
    except BaseException:
        plain.close()
        raise
    return connection


def tls_context(tls: Tls) -> ssl.SSLContext:
    """Return the client side of TLS 1.2 or newer with the daemon's certificate checked only by ``verify``, as docker."""
    import ssl

    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=tls.ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.cert and tls.key:
        context.load_cert_chain(tls.cert, tls.key)
    return context


def ssh_command(host: Host) -> list[str]:
    """Return the command whose standard streams are the connection.

    Argosy's client is asked for first; a machine that has only docker's serves as well.
    """
    command = ["ssh", "-o", "ConnectTimeout=30", "-T"]
    if host.user:
        command += ["-l", host.user]
    if host.port:
        command += ["-p", str(host.port)]
    where = f"-H unix://{_shell_quote(host.path)} " if host.path else ""
    remote = (
        f"if command -v argosy >/dev/null 2>&1; then exec argosy {where}system dial-stdio; else exec docker {where}system dial-stdio; fi"
    )
    return [*command, "--", host.address, f"sh -c {_shell_quote(remote)}"]


def _shell_quote(text: str) -> str:
    return "'" + text.replace("'", "'\"'\"'") + "'"


def _ssh(host: Host) -> socket.socket:
    """Start ssh with one end of a socket pair as its standard input and output; it ends when we close ours.

    Its messages go to our standard error, where the user sees why it failed. It has its own session, so that
    Ctrl-C at our terminal is ours to handle, as in docker's connection helper.
    """
    import subprocess

    ours, theirs = socket.socketpair()
    try:
        subprocess.Popen(ssh_command(host), stdin=theirs.fileno(), stdout=theirs.fileno(), start_new_session=True)
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return ours


def failure(text: str, host: Host, error: OSError) -> ConnectionFailedError:
    """Say in docker's manner that nobody answers, and what may help."""
    if host.kind == "unix" and error.errno in (errno.EACCES, errno.EPERM):
        return ConnectionFailedError(
            text,
            f"permission denied while trying to connect to the Argosy daemon socket at {text}",
            f"Run it as root, or join the group that owns {host.address}: sudo usermod -aG argosy $USER (then log in again)",
        )
    if host.kind == "ssh":
        reason = "ssh is not installed" if error.errno == errno.ENOENT else str(error.strerror or error)
        return ConnectionFailedError(text, f"Cannot connect to the Argosy daemon at {text}: {reason}", "Try: ssh " + host.address)
    if error.errno in (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR):
        advice = "Start it with: sudo systemctl start argosyd, or: sudo argosyd &" if host.kind == "unix" else f"Is port {host.port} right?"
        return ConnectionFailedError(
            text, f"Cannot connect to the Argosy daemon at {text}. Is the argosy daemon running?", f"{advice}\nargosy doctor tells more."
        )
    return ConnectionFailedError(text, f"error during connect: {text}: {error.strerror or error}", "argosy doctor tells more.")
