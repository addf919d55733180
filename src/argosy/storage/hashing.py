"""Threads that feed a worker and hash on the way. Each owns the descriptors it was given and closes them itself."""

import hashlib
import io
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from argosy.storage.compression import BROKEN, Readable, Region, broken, decompressed
from argosy.storage.limits import Limits

NO_LIMITS = Limits(0, 0)
_CHUNK = 1 << 20
_LAG = 32


@dataclass(frozen=True, slots=True)
class Hashed:
    digest: str
    """``sha256:…`` of the plain bytes."""
    size: int


def feed_region(
    fd: int, offset: int, size: int, kind: str, out: int, limits: Limits = NO_LIMITS, watch: Callable[[int], None] | None = None
) -> Hashed:
    """Decompress a part of a file into the pipe ``out`` and close it; return the digest of the plain bytes.

    ``watch`` is told how many compressed bytes have been read.

    Raises InvalidParameterError on damaged data or beyond ``limits``, BrokenPipeError when the reader left.
    """
    region = Region(fd, offset, size, watch)
    try:
        plain = _Limited(decompressed(region, kind), kind, limits, lambda: region.consumed)
        return _pump(plain.fill, out)
    finally:
        region.close()


def expand(fd: int, size: int, kind: str, out: int, limits: Limits) -> int:
    """Decompress the file ``fd`` of ``size`` bytes into the file or pipe ``out``; return the number of plain bytes.

    Raises InvalidParameterError on damaged data or beyond ``limits``.
    """
    region = Region(fd, 0, size)
    try:
        return _copy(_Limited(decompressed(region, kind), kind, limits, lambda: region.consumed), out)
    finally:
        region.close()


def inflate(read: int, kind: str, out: int, limits: Limits) -> int:
    """Decompress one pipe into another, and close both; return the number of plain bytes.

    What has come so far is what ``limits`` are counted from. Raises as `expand`, and BrokenPipeError when the reader left.
    """
    raw = _Counted(read)
    try:
        return _copy(_Limited(decompressed(raw, kind), kind, limits, lambda: raw.count), out)
    finally:
        raw.close()
        os.close(out)


def _copy(plain: "_Limited", out: int) -> int:
    buffer = memoryview(bytearray(_CHUNK))
    while got := plain.fill(buffer):
        _write(out, buffer[:got])
    return plain.count


class _Counted(io.FileIO):
    """A pipe, and how much has come out of it."""

    def __init__(self, fd: int) -> None:
        super().__init__(fd, "rb")
        self.count = 0

    def readinto(self, buffer: Any, /) -> int:
        got = super().readinto(buffer) or 0
        self.count += got
        return got

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size) or b""
        self.count += len(data)
        return data


def feed_pipe(read: int, out: int) -> Hashed:
    """Copy one pipe into another, hashing; closes both."""
    try:
        return _pump(lambda view: os.readv(read, [view]), out)
    finally:
        os.close(read)


def _pump(fill: Callable[[memoryview], int], out: int) -> Hashed:
    """Write what ``fill`` gives to ``out``; a second thread hashes, up to `_LAG` buffers behind, so that the slower of the
    two, which is the hash, is all that is waited for."""
    digest = hashlib.sha256()
    free = [memoryview(bytearray(_CHUNK)), memoryview(bytearray(_CHUNK))]
    behind: deque[tuple[Future[None], memoryview]] = deque()
    total = 0
    with ThreadPoolExecutor(1, thread_name_prefix="hash") as second:
        try:
            while got := fill(buffer := _buffer(free, behind)):
                data = buffer[:got]
                behind.append((second.submit(digest.update, data), buffer))
                _write(out, data)
                total += got
        finally:
            # The reader need not wait for the hash.
            os.close(out)
    return Hashed("sha256:" + digest.hexdigest(), total)


def _buffer(free: list[memoryview], behind: "deque[tuple[Future[None], memoryview]]") -> memoryview:
    while behind and (behind[0][0].done() or len(behind) >= _LAG):
        hashing, buffer = behind.popleft()
        hashing.result()
        free.append(buffer)
    return free.pop() if free else memoryview(bytearray(_CHUNK))


class _Limited:
    """A decompressed stream, counted against what ``packed()`` bytes may become."""

    def __init__(self, plain: Readable, kind: str, limits: Limits, packed: Callable[[], int]) -> None:
        self.count = 0
        self._plain = plain
        self._kind = kind
        self._limits = limits
        self._packed = packed

    def fill(self, view: memoryview) -> int:
        try:
            got = self._plain.readinto(view) or 0
        except BROKEN as error:
            translated = broken(error, self._kind)
            if translated is None:
                raise
            raise translated from error
        self.count += got
        self._limits.check(self.count, self._packed())
        return got


def _write(out: int, data: memoryview) -> None:
    while data:
        data = data[os.write(out, data) :]
