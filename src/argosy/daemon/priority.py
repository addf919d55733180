"""The loop's thread before all others of the daemon: it only hands out work, and while a pull or a load keeps every processor
busy, each answer waits for its turn.

Nothing of this reaches anybody else: SCHED_FLAG_RESET_ON_FORK gives threads and children of the thread the usual nice value and
slice (sched(7)), so containers, workers and the threads that hash and compress run as they always did.
"""

import contextlib
import os
import sys

from argosy.linux import process

_NICE = -10
_RESET_ON_FORK = 1
_SLICE_NS = 100_000
"""The least that the scheduler takes (Linux 6.12 and newer, older ones pass it over): who asks for short slices is served sooner."""
_SWITCH_SECONDS = 0.0005
"""How long another thread may keep the interpreter once the loop wants it; Python's 5 ms, several times in an answer, are seen."""


def prefer_loop() -> None:
    """Let the calling thread, the loop's, run before the process's other threads, as far as the machine allows it."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    if os.getpriority(os.PRIO_PROCESS, 0):
        # Who started the daemon has decided.
        return
    with contextlib.suppress(OSError):
        process.set_scheduling(0, _RESET_ON_FORK, _NICE, 0, (_SLICE_NS, 0, 0))
