"""Memory given back to the kernel once the work that needed it has been over for a moment.

The C library keeps what was freed; after a pull that is tens of megabytes. Looking for it (malloc_trim(3)) takes a few milliseconds
and makes the next work fault its pages in again, so it is not done between two pulls of a compose file.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from argosy.linux.memory import trim

_QUIET_SECONDS = 1.0


class Slack:
    """One for the daemon. ``give_back`` is called in a thread."""

    def __init__(self, give_back: Callable[[], None] = trim, quiet: float = _QUIET_SECONDS) -> None:
        self._give_back = give_back
        self._quiet = quiet
        self._working = 0
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def used(self) -> Iterator[None]:
        """Work with large buffers is done in the block."""
        self._working += 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        try:
            yield
        finally:
            self._working -= 1
            if not self._working:
                self._timer = asyncio.get_running_loop().call_later(self._quiet, self._go)

    def _go(self) -> None:
        self._timer = None
        asyncio.get_running_loop().run_in_executor(None, self._give_back)
