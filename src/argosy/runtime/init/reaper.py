"""``--init``: a PID 1 that forwards signals, reaps orphans and ends as its child ends. No import, no allocation that matters.

It runs with the user's own rights (it calls `Rights.drop` first) and stays undumpable, because it is a copy of the runtime.
"""

import _signal  # type: ignore[import-not-found]
import os

_SIGCHLD, _SIGTTIN, _SIGTTOU = 17, 21, 22
# What a fault of the reaper itself raises must not be blocked (signal(7)); KILL and STOP cannot be.
_OWN_FAULTS = frozenset((4, 5, 7, 8, 11, 6, 31, 9, 19, 32, 33))
_FORWARDED = [number for number in range(1, 65) if number not in _OWN_FAULTS]


def block() -> None:
    """Hold all signals until `serve` takes them; the program unblocks them before its execve."""
    _signal.pthread_sigmask(_signal.SIG_SETMASK, _FORWARDED)


def unblock() -> None:
    _signal.pthread_sigmask(_signal.SIG_SETMASK, [])


def serve(child: int) -> int:
    """Return the exit code when ``child`` ended (128 + signal when killed)."""
    while True:
        number = _signal.sigwait(_FORWARDED)
        if number == _SIGCHLD:
            code = _reap(child)
            if code is not None:
                return code
        elif number not in (_SIGTTIN, _SIGTTOU):
            try:
                os.kill(child, number)
            except OSError:
                pass


def _reap(child: int) -> "int | None":
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if pid == 0:
            return None
        if pid == child:
            return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
