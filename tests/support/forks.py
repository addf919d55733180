"""Checks that need a process of their own: signal handlers, and children that nobody else waits for."""

import os
import traceback
from collections.abc import Callable


def in_a_process(check: Callable[[], None]) -> int:
    """Run it in a fork; return 0 if it raised nothing, else 1 after its traceback was printed."""
    pid = os.fork()
    if pid == 0:
        try:
            check()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
