"""A kernel that records what it is asked, for tests without root."""

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from argosy.linux import syscall

Call = tuple[str, tuple[object, ...]]


class Recorder:
    """Every call succeeds with 0 (or an fd of /dev/null for calls that make one), unless scripted otherwise."""

    MAKES_FD = frozenset({"open_tree", "fsopen", "fsmount", "fspick", "openat2", "pidfd_open", "pidfd_getfd", "inotify_init1"})

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.errors: dict[str, int] = {}
        """Call name → errno with which it fails."""
        self.answers: dict[str, Callable[[tuple[object, ...]], int]] = {}

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    def __call__(self, name: str, args: tuple[object, ...], hold_gil: bool) -> int:
        self.calls.append((name, args))
        if name in self.errors:
            ctypes.set_errno(self.errors[name])
            return -1
        if name in self.answers:
            return self.answers[name](args)
        if name in self.MAKES_FD:
            return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        return 0


@contextmanager
def recording() -> Iterator[Recorder]:
    """Yield a `Recorder` that stands in for the kernel while the block runs."""
    recorder = Recorder()
    syscall.replace_gate(recorder)
    try:
        yield recorder
    finally:
        syscall.replace_gate(None)
