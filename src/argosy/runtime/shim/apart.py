"""Work in a short-lived fork of the shim, so that the shim itself stays small.

Making a container or entering one runs much code once. Done in the shim it would leave a copy of every page that it touched
for as long as the container lives; done in a fork it leaves nothing. What the fork makes becomes the shim's child when the
fork ends, because the shim is a subreaper (prctl(2)). The fork for the start is made first of all, before the shim has
touched anything itself.
"""

import _signal as signal  # type: ignore[import-not-found]
import _socket as socket
import os

from argosy.linux.process import PR_SET_PDEATHSIG, close_all_but, prctl
from argosy.runtime.shim import wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def apart(work: "Callable[[], tuple[dict[str, Any], list[int]]]") -> "tuple[dict[str, Any], list[int]]":
    """Return what ``work`` returned in a fork: a message and fds. ``{}`` if the fork was killed or raised."""
    ours, theirs = _pair()
    pid = os.fork()
    if pid == 0:
        _work(theirs, work)
    theirs.close()
    return _result(ours, pid)


class Starter:
    """The fork that makes the container. It has the request's fds and begins by itself."""

    def __init__(self, fds: "list[int]", work: "Callable[[], tuple[dict[str, Any], list[int]]]") -> None:
        self._link, theirs = _pair()
        shim = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            _end_with(shim)
            # Not the daemon's connection: it must not live longer than the shim.
            close_all_but([0, 1, 2, theirs.fileno(), *fds])
            _work(theirs, work)
        theirs.close()

    def fileno(self) -> int:
        return self._link.fileno()

    def result(self) -> "tuple[dict[str, Any], list[int]]":
        """Return what ``work`` returned there, as `apart` does."""
        return _result(self._link, self._pid)


def _end_with(shim: int) -> None:
    """Die with the shim: a container made for nobody would be there after the next daemon has cleaned up."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != shim:
        os._exit(1)


def _pair() -> "tuple[socket.socket, socket.socket]":
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    return ends[0], ends[1]


def _result(link: socket.socket, pid: int) -> "tuple[dict[str, Any], list[int]]":
    try:
        received = wire.receive(link)
    finally:
        link.close()
        os.waitpid(pid, 0)
    return received or ({}, [])


def _work(answer: socket.socket, work: "Callable[[], tuple[dict[str, Any], list[int]]]") -> None:
    """Never returns."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        message, fds = work()
        wire.send(answer, message, fds)
        code = 0
    except Exception as error:
        wire.send(answer, {"failed": f"failed to create task for container: {error}", "code": 128})
    finally:
        os._exit(code)
