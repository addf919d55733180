"""Recognise and undo compression. What works here releases the GIL and is meant for threads."""

import bz2
import io
import lzma
import os
from collections.abc import Callable
from typing import BinaryIO, Protocol, cast

from argosy.base.errors import InvalidParameterError

_MAGIC = (
    (b"\x1f\x8b\x08", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
)
_ZSTD_WINDOW = 1 << 27
"""Bytes that a stream may make its reader hold, as zstd(1) allows without being asked: `--long=31` wants 2 GB of memory."""


class Readable(Protocol):
    def readinto(self, buffer: memoryview, /) -> int | None: ...


def detect(head: bytes) -> str:
    """Return ``gzip``, ``zstd``, ``bzip2``, ``xz`` or empty for anything else, by the first bytes."""
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    return ""


class Region(io.RawIOBase):
    """A part of a file as a stream; owns a duplicate of the descriptor. ``watch`` is told how much of it has been read."""

    def __init__(self, fd: int, offset: int, size: int, watch: Callable[[int], None] | None = None) -> None:
        self._fd = os.dup(fd)
        self._begin = offset
        self._watch = watch
        self._position = offset
        self._end = offset + size

    @property
    def consumed(self) -> int:
        """How much of it has been read."""
        return self._position - self._begin

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        view = memoryview(buffer)[: self._end - self._position]
        got = os.preadv(self._fd, [view], self._position) if view else 0
        self._position += got
        if self._watch is not None:
            self._watch(self.consumed)
        return got

    def close(self) -> None:
        if not self.closed:
            os.close(self._fd)
        super().close()


def decompressed(raw: io.RawIOBase, kind: str) -> Readable:
    """Return a stream of the plain bytes of ``raw``. Its ``readinto`` raises `BROKEN` on damaged data."""
    # Loaded at first use: the daemon starts faster, and few daemons see all four.
    if kind == "gzip":
        from isal import igzip

        return igzip.IGzipFile(fileobj=io.BufferedReader(raw, 1 << 18), mode="rb")  # type: ignore[no-untyped-call]
    if kind == "zstd":
        import zstandard

        reader = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).stream_reader(cast(BinaryIO, raw), read_across_frames=True)
        return _Zstd(reader, zstandard.ZstdError)
    if kind == "bzip2":
        return bz2.BZ2File(io.BufferedReader(raw, 1 << 18))
    if kind == "xz":
        return lzma.LZMAFile(io.BufferedReader(raw, 1 << 18))
    return raw


class _Zstd:
    """zstandard's own error is none of Python's; it is translated, so that callers need not import it."""

    def __init__(self, reader: Readable, error: type[Exception]) -> None:
        self._reader = reader
        self._error = error

    def readinto(self, buffer: memoryview, /) -> int | None:
        try:
            return self._reader.readinto(buffer)
        except self._error as error:
            raise InvalidParameterError(f"zstd: {error}") from error


BROKEN = (EOFError, lzma.LZMAError, OSError, InvalidParameterError)
"""What reading a damaged stream raises; gzip's BadGzipFile and bzip2's complaints are OSErrors without errno."""


def broken(error: BaseException, kind: str) -> InvalidParameterError | None:
    """Return the error to show for damaged data, None for an error of another kind."""
    if isinstance(error, InvalidParameterError):
        return error
    if isinstance(error, EOFError):
        return InvalidParameterError("unexpected EOF")
    if isinstance(error, lzma.LZMAError) or (isinstance(error, OSError) and error.errno is None):
        return InvalidParameterError(f"{kind}: {error}")
    return None
