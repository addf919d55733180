"""Threads that feed a worker and hash on the way. Each owns the descriptors it was given and closes them itself."""

import hashlib
import os
import threading
from dataclasses import dataclass

from argosy.storage.compression import BROKEN, Readable, Region, broken, decompressed

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Hashed:
    digest: str
    """``sha256:…`` of the plain bytes."""
    size: int


def hash_region(fd: int, offset: int, size: int, stop: threading.Event) -> Hashed:
    """Return the digest of a part of a file; gives up early when ``stop`` is set."""
    digest = hashlib.sha256()
    buffer = bytearray(_CHUNK)
    view = memoryview(buffer)
    region = Region(fd, offset, size)
    try:
        while not stop.is_set() and (got := region.readinto(view)):
            digest.update(view[:got])
    finally:
        region.close()
    return Hashed("sha256:" + digest.hexdigest(), size)


def feed_region(fd: int, offset: int, size: int, kind: str, out: int) -> Hashed:
    """Decompress a part of a file into the pipe ``out`` and close it; return the digest of the plain bytes.

    Raises InvalidParameterError on damaged data, BrokenPipeError when the reader left.
    """
    digest = hashlib.sha256()
    view = memoryview(bytearray(_CHUNK))
    total = 0
    region = Region(fd, offset, size)
    try:
        plain = decompressed(region, kind)
        while got := _read(plain, view, kind):
            digest.update(view[:got])
            _write(out, view[:got])
            total += got
    finally:
        os.close(out)
        region.close()
    return Hashed("sha256:" + digest.hexdigest(), total)


def feed_pipe(read: int, out: int) -> Hashed:
    """Copy one pipe into another, hashing; closes both."""
    digest = hashlib.sha256()
    view = memoryview(bytearray(_CHUNK))
    total = 0
    try:
        while got := os.readv(read, [view]):
            digest.update(view[:got])
            _write(out, view[:got])
            total += got
    finally:
        os.close(out)
        os.close(read)
    return Hashed("sha256:" + digest.hexdigest(), total)


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
