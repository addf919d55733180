"""A few megabytes kept for the day when the disk is full: what happened must still be written down, and removing needs that too."""

import os
import time
from pathlib import Path

_SIZE = 8 << 20
"""SQLite's write-ahead log grows to 4 MiB before it is used again from its beginning (PRAGMA wal_autocheckpoint)."""
_PAUSE = 30.0


class Reserve:
    """A file of zeros. Used by one thread; a crash leaves the file, which the next daemon takes up."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tried = 0.0
        self._held = False

    def hold(self) -> None:
        """Have the space set aside, if the disk has it; asked often, tried twice a minute."""
        if self._held or (self._tried and time.monotonic() - self._tried < _PAUSE):
            return
        self._tried = time.monotonic()
        try:
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return
        try:
            os.posix_fallocate(fd, 0, _SIZE)
            self._held = True
        except OSError:
            self._path.unlink(missing_ok=True)
        finally:
            os.close(fd)

    def release(self) -> bool:
        """Give the space to who needs it now; return whether there was any."""
        self._held = False
        self._tried = time.monotonic()
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
