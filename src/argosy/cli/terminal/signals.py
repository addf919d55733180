"""Signals that we receive while a container runs for us: passed on to it, or turned into a resize."""

from __future__ import annotations

import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

# Ours: children and pipes of our own, job control, and the faults that only we can have.
_OURS = frozenset(
    (
        *(signal.SIGCHLD, signal.SIGPIPE, signal.SIGURG, signal.SIGKILL, signal.SIGSTOP, signal.SIGWINCH),
        *(signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGPROF),
        *(signal.SIGTTIN, signal.SIGTTOU, signal.SIGTSTP),
    )
)


def forwardable() -> list[signal.Signals]:
    return [number for number in signal.valid_signals() if isinstance(number, signal.Signals) and number not in _OURS]


def handling(numbers: Iterable[signal.Signals], act: Callable[[signal.Signals], None]) -> AbstractContextManager[None]:
    """Call ``act`` for each of these signals for a while.

    Python runs it between two byte codes of the main thread, also in the middle of a blocking read, which goes on after.
    """
    from contextlib import contextmanager

    @contextmanager
    def installed() -> Iterator[None]:
        before = {}
        try:
            for number in numbers:
                before[number] = signal.signal(number, lambda received, _frame: act(signal.Signals(received)))
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    return installed()


def name(number: signal.Signals) -> str:
    """Return the name that the API takes; without SIG, as docker sends it."""
    return number.name.removeprefix("SIG")
