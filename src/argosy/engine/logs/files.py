"""The files of one log: the current one, and those rotated away (``.1``, ``.2.gz``, …), opened oldest first.

A rotation renames every file, so a listing is only trusted if the current file is still the same one afterwards. An open
file stays readable whatever happens to its name.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from isal import isal_zlib

_CHUNK = 1 << 16
_GZIP = 31
_ATTEMPTS = 20
PACKED = 10
"""How much smaller an archive is than its content, as logs go."""


@dataclass(slots=True)
class Segment:
    """One open file of the log."""

    fd: int
    inode: int
    """Of the named file; an unpacked one keeps the inode of its archive."""
    packed: bool = False

    def size(self) -> int:
        return os.fstat(self.fd).st_size

    def written(self) -> int:
        """Return the time of the last write in ns."""
        return os.fstat(self.fd).st_mtime_ns

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def open_all(path: str, *, newest: bool = False) -> list[Segment]:
    """Return the segments of the log, oldest first, none if it was never written. ``newest``: the current file alone.

    Archives stay packed (`unpack`).
    """
    for _ in range(_ATTEMPTS):
        segments = _open_once(path, newest)
        if segments is not None:
            return segments
    # It rotates faster than it can be listed: what is still open is at least in order.
    return _open_once(path, newest, insist=True) or []


def _open_once(path: str, newest: bool, insist: bool = False) -> list[Segment] | None:
    current = _open(path)
    found = [current] if current else []
    number = 1
    while not newest and (segment := _open(f"{path}.{number}") or _open(f"{path}.{number}.gz", packed=True)):
        found.append(segment)
        number += 1
    if insist or _same(path, current):
        return found[::-1]
    close_all(found)
    return None


def total_size(path: str) -> int:
    """Return how many bytes the log holds, about: files may be renamed meanwhile, and archives are counted as unpacked."""
    total, number, name = 0, 0, path
    while size := _size(name) or _size(name + ".gz") * PACKED:
        total += size
        number += 1
        name = f"{path}.{number}"
    return total


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


def newer(path: str, known: Segment) -> tuple[list[Segment], bool]:
    """Return (segments that began after ``known``, oldest first; True), or (all segments, False) if ``known`` is not among them."""
    segments = open_all(path)
    for index, segment in enumerate(segments):
        if segment.inode == known.inode:
            close_all(segments[: index + 1])
            return segments[index + 1 :], True
    return segments, False


def current_inode(path: str) -> int:
    """Return the inode of the current file, 0 in the moment when it does not exist."""
    try:
        return os.stat(path).st_ino
    except FileNotFoundError:
        return 0


def unpack(segment: Segment, directory: str) -> None:
    """Replace an archive's fd by one of its unpacked content, in a file without a name; an archive cut short gives what it holds."""
    target = _unnamed(directory)
    try:
        _unpack(segment.fd, target)
    except BaseException:
        os.close(target)
        raise
    os.close(segment.fd)
    segment.fd, segment.packed = target, False


def head(segment: Segment, size: int) -> bytes:
    """Return up to ``size`` bytes of the content's beginning; of an archive what unpacks from as many."""
    data = os.pread(segment.fd, size, 0)
    if not segment.packed:
        return data
    try:
        return isal_zlib.decompressobj(wbits=_GZIP).decompress(data, size)
    except isal_zlib.error:  # type: ignore[misc]  # isal's stubs call the class an instance
        return b""


def _unpack(source: int, target: int) -> None:
    """Several gzip members follow one another as one (RFC 1952); what is behind a broken place is lost."""
    unpacker = isal_zlib.decompressobj(wbits=_GZIP)
    while data := os.read(source, _CHUNK):
        while data:
            try:
                _write(target, unpacker.decompress(data))
            except isal_zlib.error:  # type: ignore[misc]  # isal's stubs call the class an instance
                return
            data = unpacker.unused_data if unpacker.eof else b""
            if unpacker.eof:
                unpacker = isal_zlib.decompressobj(wbits=_GZIP)


def _write(target: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(target, view) :]


def _unnamed(directory: str) -> int:
    try:
        return os.open(directory, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        return os.memfd_create("log", os.MFD_CLOEXEC)


def close_all(segments: Sequence[Segment]) -> None:
    for segment in segments:
        segment.close()


def _open(path: str, packed: bool = False) -> Segment | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    return Segment(fd, os.fstat(fd).st_ino, packed)


def _same(path: str, current: Segment | None) -> bool:
    return current_inode(path) == (current.inode if current else 0)
