"""Our ``local`` driver: the program's bytes as they came, in length-prefixed frames (docs/design/logs.md)."""

import struct

from argosy.runtime import plainjson
from argosy.runtime.logs.lines import Lines
from argosy.runtime.logs.stamps import Stamps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from argosy.runtime.logs.rotate import RotatingFile

HEAD = struct.Struct("<IBBHQ")
_TAIL = struct.Struct("<I")
OVERHEAD = HEAD.size + _TAIL.size
PARTIAL = 1
_ATTRIBUTES = 0
FRAME = 64 * 1024
"""A frame ends with the first line that passes this, so that rotation cuts finely enough."""


def frame(stream: int, flags: int, time_ns: int, payload: bytes) -> bytes:
    return b"".join((HEAD.pack(len(payload), stream, flags, 0, time_ns), payload, _TAIL.pack(len(payload))))


def attributes_frame(attributes: "Mapping[str, str]") -> bytes:
    """Return what each file starts with; empty without attributes."""
    return frame(_ATTRIBUTES, 0, 0, plainjson.dumps_sorted(dict(attributes)).encode()) if attributes else b""


def frames(stream: int, partial: bool, text: bytes, stamps: Stamps) -> "Iterator[bytes]":
    """Yield the frames of whole lines or of one partial piece."""
    if partial:
        yield frame(stream, PARTIAL, stamps.nanoseconds(1), text)
        return
    start = 0
    while start < len(text):
        end = len(text) if len(text) - start <= FRAME else text.index(b"\n", start + FRAME - 1) + 1
        payload = text[start:end]
        yield frame(stream, 0, stamps.nanoseconds(payload.count(b"\n")), payload)
        start = end


class Local:
    """The writer of the driver ``local``."""

    def __init__(self, file: "RotatingFile", stamps: Stamps | None = None) -> None:
        self.file = file
        self._stamps = stamps or Stamps()
        self._lines = {1: Lines(), 2: Lines()}

    def write(self, stream: int, data: bytes) -> None:
        for partial, text in self._lines[stream].feed(data):
            self._record(stream, partial, text)

    def unrecorded(self, stream: int) -> bytes:
        return self._lines[stream].held

    def end(self, stream: int) -> None:
        for partial, text in self._lines[stream].end():
            self._record(stream, partial, text)

    def close(self) -> None:
        self.file.close()

    def _record(self, stream: int, partial: bool, text: bytes) -> None:
        for record in frames(stream, partial, text, self._stamps):
            self.file.append(record)
