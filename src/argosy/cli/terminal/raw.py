"""Raw mode and size of the terminal on standard input and output."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager


def stdin_is_terminal() -> bool:
    return os.isatty(0)


def raw(active: bool) -> AbstractContextManager[None]:
    """Put the terminal into raw mode for a while; whatever ends the while, the terminal is as before."""
    from contextlib import contextmanager

    @contextmanager
    def mode() -> Iterator[None]:
        if not (active and os.isatty(0)):
            yield
            return
        import termios
        import tty

        before = termios.tcgetattr(0)
        sys.stdout.flush()
        try:
            tty.setraw(0, termios.TCSANOW)
            yield
        finally:
            termios.tcsetattr(0, termios.TCSANOW, before)

    return mode()


def size() -> tuple[int, int] | None:
    """Return rows and columns, None where there is no terminal or it does not say."""
    for fd in (1, 0, 2):
        try:
            found = os.get_terminal_size(fd)
        except OSError:
            continue
        if found.lines and found.columns:
            return found.lines, found.columns
    return None
