"""The ``json-file`` driver's files: one JSON object a line, ``{"log":"text\\n","stream":"stdout","attrs":{…},"time":"…"}``.

moby ``daemon/logger/jsonfilelog/jsonlog``. Times never go down within a log, which makes searching possible.
"""

import os
from collections.abc import Mapping, Sequence

import msgspec

from argosy.engine.logs.query import widen
from argosy.engine.logs.render import Entry, Renderer, frame

_BULK = 16384
"""Up to here each line gets a frame of its own, as Docker sends it; more than this at once is sent in merged frames."""
_BLOCK = 65536
_START = b'{"log":'
_STREAMS = {"stdout": 1, "stderr": 2}


class _Text(msgspec.Struct, gc=False):
    log: str = ""
    stream: str = "stdout"


class _Line(msgspec.Struct, gc=False):
    log: str = ""
    stream: str = "stdout"
    time: str = ""
    attrs: Mapping[str, str] | None = None


_texts = msgspec.json.Decoder(_Text)
_lines = msgspec.json.Decoder(_Line)


class JsonFile:
    """`format.Format` of ``json-file``."""

    def complete(self, piece: bytes) -> int:
        return piece.rfind(b"\n") + 1

    def render(self, piece: bytes, renderer: Renderer, after: str) -> bytes:
        if renderer.plain and not after:
            try:
                return _plain(_texts.decode_lines(piece), len(piece) > _BULK, renderer)
            except msgspec.DecodeError:
                pass
        lines = _decode(piece)
        if not lines:
            return b""
        if not after and not renderer.details and renderer.within(widen(lines[0].time), widen(lines[-1].time)):
            for line in lines:
                line.log = f"{widen(line.time)} {line.log}" if renderer.timestamps else line.log
            return _plain(lines, len(piece) > _BULK, renderer)
        return renderer.lines(entry for entry in map(_entry, lines) if entry.time > after)

    def last_time(self, piece: bytes) -> str:
        for line in reversed(piece.splitlines()):
            if (found := _salvage(line)) is not None:
                return widen(found.time)
        return ""

    def first_time(self, piece: bytes) -> str:
        for line in piece.splitlines():
            if (found := _salvage(line)) is not None:
                return widen(found.time)
        return ""

    def tail(self, fd: int, size: int, count: int) -> tuple[int, int]:
        return _tail(fd, _end(fd, size), count)

    def seek(self, fd: int, size: int, since: str) -> int:
        low, high = 0, _end(fd, size)
        while high - low > _BLOCK:
            middle = (low + high) // 2
            at, time = _time_after(fd, middle, high)
            if time and time < since:
                low = at
            else:
                high = middle
        return low


def _plain(lines: Sequence[_Text | _Line], bulk: bool, renderer: Renderer) -> bytes:
    """The fast path: no line is left out for its time, and where all are of one stream their texts are joined in one go."""
    wanted = renderer.streams
    if bulk and len(streams := {line.stream for line in lines}) == 1:
        stream = _STREAMS.get(streams.pop(), 1)
        if stream not in wanted:
            return b""
        text = "".join([line.log for line in lines]).encode("utf-8", "replace")
        return text if renderer.terminal else frame(stream, text)
    pieces = [(number, line.log.encode("utf-8", "replace")) for line in lines if (number := _STREAMS.get(line.stream, 1)) in wanted]
    return renderer.merged(pieces) if bulk else renderer.join(pieces)


def _decode(piece: bytes) -> list[_Line]:
    """Return the objects of whole lines; lines that cannot be read are left out, or rescued if their end is a whole object."""
    try:
        return _lines.decode_lines(piece)
    except msgspec.DecodeError:
        return [line for line in map(_salvage, piece.split(b"\n")) if line is not None]


def _entry(line: _Line) -> Entry:
    return Entry(_STREAMS.get(line.stream, 1), widen(line.time), line.log.encode("utf-8", "replace"), line.attrs)


def _salvage(line: bytes) -> _Line | None:
    """Return the object at the end of a line whose beginning was cut off by a crash (text or zeros before it)."""
    for start in (0, line.rfind(_START)):
        try:
            return _lines.decode(line[max(start, 0) :])
        except msgspec.DecodeError:
            continue
    return None


def _end(fd: int, size: int) -> int:
    """Return the offset behind the last whole line."""
    high = size
    while high > 0:
        low = max(0, high - _BLOCK)
        found = os.pread(fd, high - low, low).rfind(b"\n")
        if found >= 0:
            return low + found + 1
        high = low
    return 0


def _tail(fd: int, end: int, count: int) -> tuple[int, int]:
    if count == 0:
        return end, 0
    # The line before the wanted ones ends with the (count + 1)-th newline from the end.
    high, missing = end, count + 1
    while high > 0:
        low = max(0, high - _BLOCK)
        block = os.pread(fd, high - low, low)
        newlines = block.count(b"\n")
        if newlines >= missing:
            at = len(block)
            for _ in range(missing):
                at = block.rfind(b"\n", 0, at)
            return low + at + 1, 0
        missing -= newlines
        high = low
    return 0, missing - 1


def _time_after(fd: int, offset: int, limit: int) -> tuple[int, str]:
    """Return (start, time) of the first readable line that starts behind ``offset``; ("", …) if there is none before ``limit``."""
    data = os.pread(fd, min(limit - offset, 16 * _BLOCK), offset)
    start = data.find(b"\n") + 1
    while start and (end := data.find(b"\n", start)) >= 0:
        if (line := _salvage(data[start:end])) is not None:
            return offset + start, widen(line.time)
        start = end + 1
    return offset, ""
