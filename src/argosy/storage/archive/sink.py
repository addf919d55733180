"""Bytes of an archive to a pipe, a socket or a file: small pieces gathered, large files moved inside the kernel."""

from __future__ import annotations

import os
import stat

_BUFFER = 1 << 17
_WORTH = 1 << 16
_MOVE = 1 << 20
_ZEROS = bytes(1 << 16)


class Sink:
    """A forward-only writer to ``fd``; call `flush` at the end. ``count`` is how many bytes were given to it."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.count = 0
        self._buffer = bytearray(_BUFFER)
        self._view = memoryview(self._buffer)
        self._end = 0
        self._pipe = fd >= 0 and stat.S_ISFIFO(os.fstat(fd).st_mode)

    def write(self, data: bytes) -> None:
        size = len(data)
        self.count += size
        if self._end + size > _BUFFER:
            self.flush()
            if size > _BUFFER:
                self._all(memoryview(data))
                return
        self._view[self._end : self._end + size] = data
        self._end += size

    def zeros(self, count: int) -> None:
        """Write ``count`` zero bytes."""
        while count:
            step = min(count, len(_ZEROS))
            self.write(_ZEROS[:step])
            count -= step

    def send(self, source: int, size: int) -> int:
        """Write ``size`` bytes from the position of the file ``source``; return how many it really had."""
        left = size
        if size >= _WORTH:
            self.flush()
            while left:
                moved = self._move(source, left)
                if moved <= 0:
                    break
                left -= moved
            self.count += size - left
        while left:
            if self._end == _BUFFER:
                self.flush()
            got = os.readv(source, [self._view[self._end : min(_BUFFER, self._end + left)]])
            if not got:
                break
            self._end += got
            self.count += got
            left -= got
        return size - left

    def flush(self) -> None:
        if self._end:
            end, self._end = self._end, 0
            self._all(self._view[:end])

    def _move(self, source: int, count: int) -> int:
        try:
            if self._pipe:
                return os.splice(source, self.fd, min(count, _MOVE))
            # Without an offset sendfile(2) starts at, and moves on, the position of the file.
            return os.sendfile(self.fd, source, None, min(count, _MOVE))
        except BrokenPipeError:
            raise
        except OSError:
            return 0

    def _all(self, data: memoryview) -> None:
        while data:
            data = data[os.write(self.fd, data) :]
