"""Docker's ``json-file`` records, a chunk of output at a time.

Format: moby ``daemon/logger/jsonfilelog/jsonlog``. A chunk is escaped by a few passes over all of it; then each raw newline
(an escaped one is a backslash and an ``n``, so ``C:\\new`` is safe) is replaced by the end of a record and the beginning of
the next, with a ``%b`` where the stamp goes, and one formatting fills in the stamps. No Python step runs for each line.
"""

import codecs

from argosy.runtime import plainjson
from argosy.runtime.logs.lines import Lines
from argosy.runtime.logs.stamps import STEPS, Stamps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.runtime.logs.rotate import RotatingFile

_OPEN = b'{"log":"'
_CLOSE = b'Z"}\n'
_FEW = 4
_NAMED = (
    (b"\\", b"\\\\"),
    (b'"', b'\\"'),
    (b"\r", b"\\r"),
    (b"<", b"\\u003c"),
    (b">", b"\\u003e"),
    (b"&", b"\\u0026"),
    (b"\t", b"\\u0009"),
)
_RARE = bytes(code for code in range(32) if code not in b"\n\r\t")
_BAD = b"\xff"
_FIND_RARE = bytes(0xFF if code in _RARE else code for code in range(256))
_HANDLER = "argosy.bad"


def _mark(error: UnicodeError) -> tuple[bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    return _BAD * (error.end - error.start), error.end


codecs.register_error(_HANDLER, _mark)
# Both codecs are looked up here, in the launcher: a shim imports nothing later.
b"\xff".decode("utf-8", "surrogateescape").encode("utf-8", _HANDLER)


def escape(text: bytes) -> bytes:
    """Return ``text`` as the inside of a JSON string, but for its newlines, which stay raw."""
    ascii_only = text.isascii()
    if not ascii_only:
        text = _mark_invalid(text)
    # The backslash first: every other replacement brings backslashes of its own.
    for raw, escaped in _NAMED:
        text = text.replace(raw, escaped)
    if not ascii_only:
        # Each bad byte by itself, as Go's utf8.DecodeRune reports it; 0xff cannot occur in valid UTF-8.
        text = text.replace(_BAD, b"\\ufffd").replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")
    # One pass that finds any of 29 characters is cheaper than 29 searches.
    if _BAD in text.translate(_FIND_RARE):
        for code in _RARE:
            text = text.replace(bytes((code,)), b"\\u%04x" % code)
    return text


def _mark_invalid(text: bytes) -> bytes:
    try:
        text.decode()
    except UnicodeDecodeError:
        return text.decode("utf-8", "surrogateescape").encode("utf-8", _HANDLER)
    return text


class Encoder:
    """Turns whole lines or a partial piece of one stream into records."""

    __slots__ = ("_middle", "_stamps")

    def __init__(self, stream: str, attributes: "Mapping[str, str]", stamps: Stamps) -> None:
        attrs = '"attrs":' + _go_json(attributes) + "," if attributes else ""
        self._middle = f'","stream":"{stream}",{attrs}"time":"'.encode()
        self._stamps = stamps

    def lines(self, text: bytes) -> list[bytes]:
        """Return the records of ``text``, which ends with a newline, in blocks."""
        count = text.count(b"\n")
        if count > STEPS:
            # Stamps come from one tick of the clock for a block: take blocks that fit.
            half = text.index(b"\n", len(text) // 2) + 1 if len(text) // 2 < len(text) - 1 else len(text)
            return self.lines(text[:half]) + self.lines(text[half:])
        if count <= _FEW:
            return [self._record(line, b"\\n") for line in escape(text).split(b"\n")[:-1]]
        head, digits = self._stamps.many(count)
        end = b"".join((b"\\n", self._middle.replace(b"%", b"%%"), head, b"%b", _CLOSE))
        body = escape(text[:-1]).replace(b"%", b"%%").replace(b"\n", end + _OPEN)
        return [b"".join((_OPEN, body, end)) % digits]

    def partial(self, text: bytes) -> bytes:
        """Return the record of a piece without a newline."""
        return self._record(escape(text), b"")

    def _record(self, escaped: bytes, newline: bytes) -> bytes:
        return b"".join((_OPEN, escaped, newline, self._middle, self._stamps.one(), _CLOSE))


def _go_json(attributes: "Mapping[str, str]") -> str:
    """Return the object as Go's encoding/json writes a map: sorted keys, ``<>&`` escaped."""
    text = plainjson.dumps_sorted(dict(attributes))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


class JsonFile:
    """The writer of the driver ``json-file``."""

    def __init__(self, file: "RotatingFile", attributes: "Mapping[str, str]", stamps: Stamps | None = None) -> None:
        stamps = stamps or Stamps()
        self.file = file
        self._streams = {1: (Lines(), Encoder("stdout", attributes, stamps)), 2: (Lines(), Encoder("stderr", attributes, stamps))}

    def write(self, stream: int, data: bytes) -> None:
        lines, encoder = self._streams[stream]
        for partial, text in lines.feed(data):
            for records in (encoder.partial(text),) if partial else encoder.lines(text):
                self.file.append(records)

    def unrecorded(self, stream: int) -> bytes:
        return self._streams[stream][0].held

    def end(self, stream: int) -> None:
        lines, encoder = self._streams[stream]
        for _, text in lines.end():
            self.file.append(encoder.partial(text))

    def close(self) -> None:
        self.file.close()
