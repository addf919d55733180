"""How entries become bytes for a client: Docker's frames, timestamps, details, the window of time. Pure.

The frame: stream (1 stdout, 2 stderr), three zeros, length in four bytes, big endian (Engine API, "Attach to a container").
A terminal's log has no frames.
"""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import NamedTuple
from urllib.parse import quote_plus

from argosy.engine.logs.query import LogQuery, fixed

_HEADERS = {1: b"\x01\0\0\0", 2: b"\x02\0\0\0"}


class Entry(NamedTuple):
    """One entry of a log, as any driver keeps it."""

    stream: int
    """1 stdout, 2 stderr."""
    time: str
    """Nine digits, see `query.fixed`."""
    text: bytes
    """With its newline; without one when it is a piece of a longer line."""
    attributes: Mapping[str, str] | None = None


def frame(stream: int, text: bytes) -> bytes:
    return b"%b%b%b" % (_HEADERS[stream], len(text).to_bytes(4, "big"), text)


class Renderer:
    """Turns entries into bytes; `done` turns True at the first entry later than ``until``."""

    def __init__(self, query: LogQuery, *, terminal: bool) -> None:
        self.terminal = terminal
        self.done = False
        self.streams = tuple(number for number, wanted in ((1, query.stdout), (2, query.stderr)) if wanted)
        self.plain = not (query.timestamps or query.details or query.since or query.until)
        """Nothing but the text is needed: what lets a driver take its fast path."""
        self.timestamps = query.timestamps
        self.details = query.details
        self._since = fixed(query.since) if query.since else ""
        self._until = fixed(query.until) if query.until else ""

    def lines(self, entries: Iterable[Entry]) -> bytes:
        """Return the entries that are wanted, each in a frame of its own, as Docker sends them."""
        pieces = [(entry.stream, self._line(entry)) for entry in self._window(entries)]
        return self.join(pieces)

    def join(self, pieces: Iterable[tuple[int, bytes]]) -> bytes:
        if self.terminal:
            return b"".join([text for _, text in pieces])
        return b"".join([frame(stream, text) for stream, text in pieces])

    def merged(self, pieces: Iterable[tuple[int, bytes]]) -> bytes:
        """Like `join`, neighbours of one stream in one frame: readers of the stream see the same bytes, with less work."""
        if self.terminal:
            return b"".join([text for _, text in pieces])
        runs = groupby(pieces, key=lambda piece: piece[0])
        return b"".join([frame(stream, b"".join([text for _, text in run])) for stream, run in runs])

    def within(self, first: str, last: str) -> bool:
        """Return whether everything from ``first`` to ``last`` lies in the asked window."""
        return first >= self._since and (not self._until or last <= self._until)

    def _window(self, entries: Iterable[Entry]) -> Iterable[Entry]:
        for entry in entries:
            if self._until and entry.time > self._until:
                self.done = True
                return
            if entry.time >= self._since and entry.stream in self.streams:
                yield entry

    def _line(self, entry: Entry) -> bytes:
        text = entry.text
        if self.details:
            text = b"%b %b" % (attributes_text(entry.attributes), text)
        if self.timestamps:
            text = b"%b %b" % (entry.time.encode(), text)
        return text


def attributes_text(attributes: Mapping[str, str] | None) -> bytes:
    """Return ``a=b,tag=x+y``: sorted and escaped as Go's url.QueryEscape; empty without attributes."""
    if not attributes:
        return b""
    return ",".join(f"{quote_plus(key)}={quote_plus(value)}" for key, value in sorted(attributes.items())).encode()
