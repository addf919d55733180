"""Work in a short-lived fork of the shim, so that the shim itself stays small and never waits.

Making a container or entering one runs much code once. Done in the shim it would leave a copy of every page that it touched
for as long as the container lives; done in a fork it leaves nothing. It may also take for ever: a program on a file system that
does not answer, a container that is frozen meanwhile. What the fork makes becomes the shim's child when the fork ends, because
the shim is a subreaper (prctl(2)). The fork for the start is made first of all, before the shim has touched anything itself.
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

    Said = tuple[dict[str, Any], list[int]]
    """A message and the fds that came with it."""
    Tell = Callable[[dict[str, Any]], None]
    Work = Callable[[Tell], Said]


class Starter:
    """The fork that makes processes: it has ``fds`` besides 0, 1, 2, and begins by itself.

    ``work`` returns its answer, and may tell something before by the function that it is given. A fork that is killed answers
    nothing.
    """

    def __init__(self, fds: "list[int]", work: "Work") -> None:
        self._fork(fds, lambda link: _work(link, work))

    def _fork(self, fds: "list[int]", life: "Callable[[socket.socket], None]") -> None:
        self._link, theirs = _pair()
        self.over = False
        """Nothing more will be said."""
        shim = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            _end_with(shim)
            # Not the daemon's connection, which must not live longer than the shim; nor what others write to: they would never
            # see its end.
            close_all_but([0, 1, 2, theirs.fileno(), *fds])
            life(theirs)
        theirs.close()

    def fileno(self) -> int:
        return self._link.fileno()

    def result(self) -> "Said":
        """Wait for the answer and for the end of the fork; ``{}`` if it was killed."""
        try:
            received = wire.receive(self._link)
        finally:
            self._link.close()
            os.waitpid(self.pid, 0)
        return received or ({}, [])

    def heard(self) -> "list[Said]":
        """Return what has been said since the last time, without waiting."""
        found: list[Said] = []
        self._link.setblocking(False)
        while not self.over:
            try:
                received = wire.receive(self._link)
            except BlockingIOError:
                break
            except OSError:
                received = None
            if received is None:
                self.over = True
            else:
                found.append(received)
        return found

    def kill(self) -> None:
        """SIGKILL to it and to its process group, if it has one of its own. Not after its end was noted."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        self._link.close()


class WaitingStarter(Starter):
    """One that is forked before it is known what for, so that nobody waits for the fork; it gets its fds when it shall begin."""

    def __init__(self, work: "Callable[[list[int]], Said]") -> None:
        self._fork([], lambda link: _work_when_told(link, work))

    def begin(self, fds: "list[int]") -> bool:
        """Have ``work`` done with these fds, which are closed here; False, and nothing done, if it was killed while it waited."""
        try:
            wire.send(self._link, {}, fds)
        except OSError:
            self.dismiss()
            return False
        wire.close_all(fds)
        return True

    def dismiss(self) -> None:
        """There is nothing to do."""
        self._link.close()
        os.waitpid(self.pid, 0)


def _end_with(shim: int) -> None:
    """Die with the shim: a container made for nobody would be there after the next daemon has cleaned up."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != shim:
        os._exit(1)


def _pair() -> "tuple[socket.socket, socket.socket]":
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    return ends[0], ends[1]


def _work_when_told(link: socket.socket, work: "Callable[[list[int]], Said]") -> None:
    """Never returns."""
    received = wire.receive(link)
    if received is None:
        os._exit(0)
    _work(link, lambda _: work(received[1]))


def _work(answer: socket.socket, work: "Work") -> None:
    """Never returns."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        message, fds = work(lambda said: wire.send(answer, said))
        wire.send(answer, message, fds)
        code = 0
    except Exception as error:
        wire.send(answer, {"failed": f"failed to create task for container: {error}", "code": 128})
    finally:
        os._exit(code)
