"""Watch files and directories (inotify(7)); the fd is non-blocking, made for an event loop."""

import os
import struct

from argosy.linux.syscall import call

MODIFY, ATTRIB, CLOSE_WRITE = 0x002, 0x004, 0x008
MOVED_FROM, MOVED_TO, CREATE, DELETE, DELETE_SELF, MOVE_SELF = 0x040, 0x080, 0x100, 0x200, 0x400, 0x800
Q_OVERFLOW, IGNORED = 0x4000, 0x8000
ONLYDIR, ONESHOT = 0x01000000, 0x80000000

_HEADER = struct.Struct("iIII")


class Inotify:
    """One inotify instance; `fileno` is readable when events wait."""

    def __init__(self) -> None:
        self._fd = call("inotify_init1", os.O_NONBLOCK | os.O_CLOEXEC)

    def fileno(self) -> int:
        return self._fd

    def watch(self, path: str | bytes, mask: int) -> int:
        """Return the watch descriptor. Raises OSError (ENOENT, ENOSPC when the user's watches are used up)."""
        return call("inotify_add_watch", self._fd, os.fsencode(path), mask, path=path)

    def unwatch(self, descriptor: int) -> None:
        """Absent (the file was removed) is fine."""
        try:
            call("inotify_rm_watch", self._fd, descriptor)
        except OSError as error:
            if error.errno != 22:
                raise

    def read(self) -> list[tuple[int, int, bytes]]:
        """Return the waiting events as (watch descriptor, mask, name); empty when there are none."""
        try:
            data = os.read(self._fd, 65536)
        except BlockingIOError:
            return []
        return parse_events(data)

    def detach(self) -> int:
        """Return the fd and forget it: the caller closes it."""
        fd, self._fd = self._fd, -1
        return fd

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> "Inotify":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def parse_events(data: bytes) -> list[tuple[int, int, bytes]]:
    """Return the events in what was read from an inotify fd."""
    events = []
    offset = 0
    while offset + _HEADER.size <= len(data):
        descriptor, mask, _, length = _HEADER.unpack_from(data, offset)
        offset += _HEADER.size
        events.append((descriptor, mask, data[offset : offset + length].rstrip(b"\0")))
        offset += length
    return events
