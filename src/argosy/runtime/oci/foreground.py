"""Stay with a program that was not detached: its terminal, signals for it, its exit code."""

import _signal  # type: ignore[import-not-found]
import os
import select

from argosy.linux import process
from argosy.runtime.oci import console
from argosy.runtime.spawn import Child

_SIGCHLD, _SIGURG, _SIGWINCH = 17, 23, 28
_UNTOUCHED = frozenset((4, 5, 7, 8, 9, 11, 13, 19, 20, 21, 22, _SIGCHLD, _SIGURG, 32, 33))


def follow(child: Child) -> int:
    """Return the exit code (128 + signal when killed)."""
    _forward_signals(child.pidfd)
    if child.master >= 0:
        master, child.master = child.master, -1
        console.attach(master, child.pidfd)
    else:
        poll = select.poll()
        poll.register(child.pidfd, select.POLLIN)
        poll.poll()
    _, status = os.waitpid(child.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _forward_signals(pidfd: int) -> None:
    def forward(number: int, frame: object) -> None:
        try:
            process.pidfd_send_signal(pidfd, number)
        except OSError:
            pass

    for number in range(1, 65):
        if number not in _UNTOUCHED:
            _signal.signal(number, forward)
