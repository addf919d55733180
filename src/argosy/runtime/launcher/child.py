"""What a fork of the launcher does first, whatever it becomes: nothing of the daemon or the launcher may leak through."""

import _signal as signal  # type: ignore[import-not-found]
import _socket as socket
import os

from argosy.linux.process import PR_SET_DUMPABLE, close_all_but, default_scheduling, join_session_keyring, prctl
from argosy.runtime import worker
from argosy.runtime.shim import main as shim
from argosy.runtime.shim import wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def clean_slate(keep: list[int]) -> None:
    """Close all fds but 0, 1, 2 and ``keep``; own session, default signals, mask, umask, priority, CPUs; not dumpable."""
    close_all_but([0, 1, 2, *keep])
    # Not dumpable: /proc/PID/mem of this process is closed even to a privileged process of a container (ptrace(2)).
    prctl(PR_SET_DUMPABLE, 0)
    os.setsid()
    os.chdir("/")
    os.umask(0o022)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in (signal.SIGINT, signal.SIGXFSZ, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    default_scheduling()
    try:
        # No name: an anonymous session keyring, so that the daemon's keys are not ours.
        join_session_keyring(b"_argosy")
    except OSError:
        pass


def work(header: "dict[str, Any]", fds: list[int]) -> int:
    """Do the request ``header['verb']``; fds: the request's memfd, the control connection, and what the verb needs."""
    request_fd, control_fd, *rest = fds
    control = socket.socket(fileno=control_fd)
    request = wire.decode(request_fd)
    if header["verb"] == "shim":
        return shim.run(request, control)
    if header["verb"] == "worker":
        return worker.run(request, control, rest)
    wire.send(control, {"event": "failed", "message": f"unknown verb {header['verb']}", "code": 125})
    return 1
