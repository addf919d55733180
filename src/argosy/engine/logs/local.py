"""The ``local`` driver's files: length-prefixed frames of the program's bytes (docs/design/logs.md).

A frame: length of the payload (4), stream (1), flags (1), zero (2), time of its first line (8), payload, length again (4), all
little-endian. Line k of a frame has time + k. A frame of stream 0 holds the container's attributes as JSON.
"""

import json
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from argosy.engine.logs.query import fixed
from argosy.engine.logs.render import Entry, Renderer

_HEAD = struct.Struct("<IBBHQ")
_LENGTH = struct.Struct("<I")
_OVERHEAD = _HEAD.size + _LENGTH.size
_MAX_PAYLOAD = (64 + 16) * 1024
_PARTIAL = 1
_BULK = 16384
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Frame:
    stream: int
    partial: bool
    time: int
    start: int
    """Of the payload in what was parsed."""
    end: int


class Local:
    """`format.Format` of ``local``; one for each reader, as it remembers the attributes."""

    def __init__(self) -> None:
        self._attributes: Mapping[str, str] | None = None
        self._drop = 0
        """Lines of the first frame that is rendered that are not wanted (a tail that begins within a frame)."""

    def complete(self, piece: bytes) -> int:
        position = 0
        while (size := _size_at(piece, position)) is not None:
            if size == 0:
                # Not a frame: what a crash left. Up to the next one it counts as read, so that the reader goes on.
                found = _next_frame(piece, position + 1)
                if found < 0:
                    return max(position, len(piece) - _OVERHEAD - _MAX_PAYLOAD)
                position = found
                continue
            if position + size > len(piece):
                break
            position += size
        return position

    def render(self, piece: bytes, renderer: Renderer, after: str) -> bytes:
        if not renderer.plain or after or self._drop or len(piece) <= _BULK:
            return renderer.lines(entry for entry in self._entries(piece) if entry.time > after)
        pieces = [(one.stream, piece[one.start : one.end]) for one in frames(piece) if one.stream in renderer.streams]
        return renderer.merged(pieces)

    def _entries(self, piece: bytes) -> Iterator[Entry]:
        for one in frames(piece):
            payload = piece[one.start : one.end]
            if one.stream == 0:
                self._attributes = _attributes(payload)
                continue
            for number, line in enumerate([payload] if one.partial else _lines(payload)):
                if self._drop:
                    self._drop -= 1
                    continue
                yield Entry(one.stream, fixed(one.time + number), line, self._attributes)

    def last_time(self, piece: bytes) -> str:
        last = ""
        for one in frames(piece):
            if one.stream:
                last = fixed(one.time + max(0, _count(piece, one) - 1))
        return last

    def first_time(self, piece: bytes) -> str:
        return next((fixed(one.time) for one in frames(piece) if one.stream), "")

    def tail(self, fd: int, size: int, count: int) -> tuple[int, int]:
        self._drop = 0
        offsets: list[tuple[int, int]] = []
        for base, piece in _pieces(fd, size):
            for one in frames(piece):
                if one.stream:
                    offsets.append((base + one.start - _HEAD.size, _count(piece, one)))
                elif base == 0 and self._attributes is None:
                    self._attributes = _attributes(piece[one.start : one.end])
        if count == 0:
            return size, 0
        missing, end = count, size
        for offset, lines in reversed(offsets):
            end = offset
            if lines >= missing:
                self._drop = lines - missing
                return end, 0
            missing -= lines
        return end, missing

    def seek(self, fd: int, size: int, since: str) -> int:
        """Files are small and their frames need no parsing: reading from the start is what it costs."""
        return 0


def _count(piece: bytes, one: Frame) -> int:
    if one.partial:
        return 1
    return piece.count(b"\n", one.start, one.end) + (piece[one.end - 1] != 0x0A)


def _lines(payload: bytes) -> list[bytes]:
    """Unlike bytes.splitlines, only a newline ends a line."""
    lines = payload.split(b"\n")
    last = lines.pop()
    return [line + b"\n" for line in lines] + ([last] if last else [])


def _attributes(payload: bytes) -> Mapping[str, str] | None:
    try:
        found = json.loads(payload)
    except ValueError:
        return None
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else None


def frames(piece: bytes) -> Iterator[Frame]:
    """Yield the frames in what `Local.complete` approved, passing over what is none."""
    position = 0
    while (size := _size_at(piece, position)) is not None:
        if size == 0 or position + size > len(piece):
            position = _next_frame(piece, position + 1)
            if position < 0:
                return
            continue
        length, stream, flags, _, time = _HEAD.unpack_from(piece, position)
        start = position + _HEAD.size
        if length:
            yield Frame(stream, bool(flags & _PARTIAL), time, start, start + length)
        position += size


def _size_at(piece: bytes, position: int) -> int | None:
    """Return the size of the frame there, 0 if there is none, None if there are too few bytes to tell."""
    if position + _HEAD.size > len(piece):
        return None
    length, stream, flags, zero, _ = _HEAD.unpack_from(piece, position)
    if length == 0 or length > _MAX_PAYLOAD or stream > 2 or flags > 1 or zero:
        return 0
    end = position + _HEAD.size + length
    if end + _LENGTH.size <= len(piece) and _LENGTH.unpack_from(piece, end)[0] != length:
        return 0
    return int(length) + _OVERHEAD


def _next_frame(piece: bytes, position: int) -> int:
    """Return where the next whole frame begins, -1 if there is none: its two lengths must agree."""
    while position + _OVERHEAD <= len(piece):
        size = _size_at(piece, position)
        if size and position + size <= len(piece):
            return position
        position += 1
    return -1


def _pieces(fd: int, size: int) -> Iterator[tuple[int, bytes]]:
    """Yield (offset, whole frames) through the file."""
    form, offset = Local(), 0
    while offset < size:
        piece = os.pread(fd, min(_BLOCK, size - offset), offset)
        whole = form.complete(piece)
        if whole == 0:
            return
        yield offset, piece[:whole]
        offset += whole
