"""Whom the loop's priority reaches."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable

from argosy.daemon.priority import prefer_loop


def _in_a_thread(work: Callable[[], None]) -> None:
    """The nice value is a thread's own: this one keeps its."""
    interval = sys.getswitchinterval()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    sys.setswitchinterval(interval)


def _nice() -> int:
    return os.getpriority(os.PRIO_PROCESS, 0)


def test_threads_and_children_of_the_loop_run_as_they_always_did() -> None:
    before, seen = _nice(), []

    def loop() -> None:
        prefer_loop()
        seen.append(_nice())
        helper = threading.Thread(target=lambda: seen.append(_nice()))
        helper.start()
        helper.join()
        seen.append(int(subprocess.run(["nice"], check=True, capture_output=True, text=True).stdout))

    _in_a_thread(loop)
    own, helper, child = seen
    # Without the right to it, nothing changes.
    assert own in (before - 10, before)
    assert (helper, child) == (before, before)
    assert _nice() == before


def test_other_threads_give_the_interpreter_up_soon() -> None:
    seen: list[float] = []

    def loop() -> None:
        prefer_loop()
        seen.append(sys.getswitchinterval())

    _in_a_thread(loop)
    assert seen == [0.0005]
