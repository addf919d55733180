"""Child processes of the shim: who waits for whom, and reaping what was left to a subreaper (prctl(2), wait(2))."""

import _signal as signal  # type: ignore[import-not-found]
import os

from argosy.linux.process import close_all_but
from argosy.runtime.shim.loop import IN, Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Ended = Callable[[int], None]

_WALL = 0x40000000  # clone children too, whatever signal they end with


class Children:
    """Reaps at SIGCHLD and tells whoever asked for that pid; strangers (orphans of the container) are just reaped."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self._ended: dict[int, Ended] = {}
        self.ask: Callable[[], None] = _nobody
        """Called when somebody has ended whom nobody expects: who makes processes by a fork of the shim may not have looked at
        its answer yet, which was given before they could become the shim's."""
        read, write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._read = read
        signal.signal(signal.SIGCHLD, _noted)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        loop.add(read, IN, lambda events: self.reap())

    def expect(self, pid: int, ended: "Ended") -> None:
        """Call ``ended`` with the wait status. To be said before the loop runs again after the child was made."""
        self._ended[pid] = ended

    def forget(self, pid: int) -> None:
        """Somebody else waits for it."""
        self._ended.pop(pid, None)

    def fork(self, work: "Callable[[], None]", ended: "Ended", keep: int) -> None:
        """Run ``work`` in a child that has no fd but ``keep``; its wait status is 0 if nothing was raised."""
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                signal.set_wakeup_fd(-1)
                close_all_but([keep])
                work()
                code = 0
            finally:
                os._exit(code)
        self.expect(pid, ended)

    def reap(self) -> None:
        try:
            os.read(self._read, 4096)
        except BlockingIOError:
            pass
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG | _WALL)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid not in self._ended:
                self.ask()
            ended = self._ended.pop(pid, None)
            if ended is not None:
                ended(status)


def _nobody() -> None:
    """Nobody makes processes by a fork."""


def _noted(number: int, frame: object) -> None:
    """The wake-up fd carries the news; a handler must exist for the interpreter to write to it."""
