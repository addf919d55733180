"""Bytes of an archive from a pipe, a socket or a region of a file, moved without passing through Python where possible."""

from __future__ import annotations

import os
import stat

from argosy.storage.archive.entry import ArchiveError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Tap(Protocol):
        """Gets every piece that is handed out."""

        def append(self, data: bytes, /) -> None: ...


_BUFFER = 1 << 18
_MOVE = 1 << 20
_WORTH = 1 << 16
"""From here on a copy inside the kernel is cheaper than one through the buffer."""


class Source:
    """A forward-only reader of ``fd``: from its own position (pipe, socket), or of ``size`` bytes from ``offset`` (file).

    While there is a `tap`, `take` also appends what it hands out to it; that is how a recipe keeps headers.
    """

    def __init__(self, fd: int, offset: int = -1, size: int = 0) -> None:
        self.fd = fd
        self.tap: Tap | None = None
        self._position = offset
        self._left = size if offset >= 0 else -1
        self._buffer = bytearray(_BUFFER)
        self._view = memoryview(self._buffer)
        self._start = self._end = 0
        self._pipe = offset < 0 and stat.S_ISFIFO(os.fstat(fd).st_mode)

    def position(self) -> int:
        """Return where in the file the next byte comes from (regions only)."""
        return self._position - (self._end - self._start)

    def take(self, count: int) -> bytes:
        """Return exactly ``count`` bytes. Raises ArchiveError at the end of the stream; nothing at all is ``b""``."""
        parts: list[bytes] = []
        wanted = count
        while wanted:
            if self._start == self._end and not self._fill():
                if wanted == count:
                    return b""
                raise ArchiveError("unexpected EOF")
            step = min(wanted, self._end - self._start)
            parts.append(bytes(self._view[self._start : self._start + step]))
            self._start += step
            wanted -= step
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        if self.tap is not None:
            self.tap.append(data)
        return data

    def need(self, count: int) -> bytes:
        """Return exactly ``count`` bytes. Raises ArchiveError when the stream ends before."""
        data = self.take(count)
        if len(data) != count:
            raise ArchiveError("unexpected EOF")
        return data

    def copy(self, out: int, count: int) -> None:
        """Move ``count`` bytes to the file ``out`` at its position. Raises ArchiveError at the end of the stream."""
        while count:
            if self._start == self._end:
                if count >= _WORTH and (moved := self._splice(out, count)):
                    count -= moved
                    continue
                if not self._fill():
                    raise ArchiveError("unexpected EOF")
            step = min(count, self._end - self._start)
            done = os.write(out, self._view[self._start : self._start + step])
            self._start += done
            count -= done

    def skip(self, count: int) -> None:
        """Pass over ``count`` bytes."""
        while count:
            if self._start == self._end:
                if self._left >= 0:
                    if count > self._left:
                        raise ArchiveError("unexpected EOF")
                    self._position += count
                    self._left -= count
                    return
                if not self._fill():
                    raise ArchiveError("unexpected EOF")
            step = min(count, self._end - self._start)
            self._start += step
            count -= step

    def rest(self) -> None:
        """Take all that is left, which is expected to be padding, so that a tap sees it."""
        while self._start < self._end or self._fill():
            self.take(self._end - self._start)

    def drain(self) -> None:
        """Read to the end and forget it, so that the writer of a pipe is not cut off."""
        self._start = self._end
        while self._fill():
            self._start = self._end

    def _fill(self) -> bool:
        """Refill the empty buffer; False at the end of the stream."""
        if self._left >= 0:
            size = min(_BUFFER, self._left)
            got = os.preadv(self.fd, [self._view[:size]], self._position) if size else 0
            self._position += got
            self._left -= got
        else:
            got = os.readv(self.fd, [self._buffer])
        self._start, self._end = 0, got
        return got > 0

    def _splice(self, out: int, count: int) -> int:
        """Return how much the kernel moved by itself; 0 says: use the buffer."""
        try:
            if self._pipe:
                return os.splice(self.fd, out, min(count, _MOVE))
            if self._left > 0:
                moved = os.copy_file_range(self.fd, out, min(count, self._left, _MOVE << 4), self._position)
                self._position += moved
                self._left -= moved
                return moved
        except OSError:
            # Not every file system can; EXDEV and EINVAL come before anything was moved.
            self._pipe = False
            if self._left >= 0:
                return self._sendfile(out, count)
        return 0

    def _sendfile(self, out: int, count: int) -> int:
        try:
            moved = os.sendfile(out, self.fd, self._position, min(count, self._left, _MOVE))
        except OSError:
            return 0
        self._position += moved
        self._left -= moved
        return moved
