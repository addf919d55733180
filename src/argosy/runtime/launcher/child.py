"""What a fork of the launcher does first, whatever it becomes: nothing of the daemon or the launcher may leak through."""

import _signal as signal  # type: ignore[import-not-found]
import _socket as socket
import os

from argosy.linux.process import PR_SET_CHILD_SUBREAPER, PR_SET_DUMPABLE, default_scheduling, join_session_keyring, prctl
from argosy.runtime import worker
from argosy.runtime.shim import main as shim
from argosy.runtime.shim import wire
from argosy.runtime.shim.apart import WaitingStarter
from argosy.runtime.shim.maker import make

_LAST_FD = 1 << 30


def quiet_house() -> None:
    """Done once by the launcher and inherited by every fork: nothing of the daemon may leak through.

    Default mask, umask, priority and CPUs, a session keyring of its own; not dumpable: /proc/PID/mem is closed even to a
    privileged process of a container (ptrace(2)). Python ignores SIGPIPE and SIGXFSZ; init gives its program the defaults.
    """
    prctl(PR_SET_DUMPABLE, 0)
    os.chdir("/")
    os.umask(0o022)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    default_scheduling()
    try:
        join_session_keyring(b"_argosy")
    except OSError:
        pass  # no keyrings in this kernel, or no quota left for one


def clean_slate(keep: list[int]) -> None:
    """Close all fds but 0, 1, 2 and ``keep``; own session. Little code on purpose: each page it touches is copied."""
    first = 3
    for fd in sorted(keep):
        os.closerange(first, fd)
        first = fd + 1
    os.closerange(first, _LAST_FD)
    os.setsid()


def warm_starter() -> WaitingStarter:
    """Return a starter for the container of this fork, should it become a shim: ahead of the request, at nobody's cost."""
    return WaitingStarter(lambda fds: make(*fds))


def work(verb: str, fds: list[int], starter: WaitingStarter | None) -> int:
    """Do the request; ``fds``: the request's memfd, the control connection, and what the verb needs. Return the exit code.

    ``starter``: one that is there already.
    """
    request_fd, control_fd, *rest = fds
    # A daemon that is gone by now has nobody who would clean up after what is begun here: this fails, and nothing is.
    os.write(control_fd, wire.TAKEN)
    if verb != "worker":
        # Before a starter can end: what it leaves behind is the shim's.
        prctl(PR_SET_CHILD_SUBREAPER, 1)
    if verb == "shim":
        if starter is None or not starter.begin([request_fd, *rest]):
            starter = warm_starter()
            starter.begin([request_fd, *rest])
        clean_slate([control_fd, starter.fileno()])
        return shim.run(socket.socket(fileno=control_fd), starter)
    if starter is not None:
        starter.dismiss()
    clean_slate(fds)
    control = socket.socket(fileno=control_fd)
    if verb == "foreign":
        return shim.run_foreign(request_fd, rest[0], control)
    if verb == "worker":
        return worker.run(wire.decode(request_fd), control, rest)
    wire.send(control, {"event": "failed", "message": f"unknown verb {verb}", "code": 125})
    return 1
