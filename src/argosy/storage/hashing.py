"""Threads that feed a worker and hash on the way. Each owns the descriptors it was given and closes them itself."""

import hashlib
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from argosy.storage.compression import BROKEN, Readable, Region, broken, decompressed

_CHUNK = 1 << 20
_LAG = 32


@dataclass(frozen=True, slots=True)
class Hashed:
    digest: str
    """``sha256:…`` of the plain bytes."""
    size: int


def feed_region(fd: int, offset: int, size: int, kind: str, out: int, watch: Callable[[int], None] | None = None) -> Hashed:
    """Decompress a part of a file into the pipe ``out`` and close it; return the digest of the plain bytes.

    ``watch`` is told how many compressed bytes have been read.

    Raises InvalidParameterError on damaged data, BrokenPipeError when the reader left.
    """
    region = Region(fd, offset, size, watch)
    try:
        plain = decompressed(region, kind)
        return _pump(lambda view: _read(plain, view, kind), out)
    finally:
        region.close()


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


def _read(plain: Readable, view: memoryview, kind: str) -> int:
    try:
        return plain.readinto(view) or 0
    except BROKEN as error:
        translated = broken(error, kind)
        if translated is None:
            raise
        raise translated from error


def _write(out: int, data: memoryview) -> None:
    while data:
        data = data[os.write(out, data) :]
