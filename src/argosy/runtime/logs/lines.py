"""Cut a stream of bytes into what one record may hold, as moby's ``daemon/logger/copier.go`` does.

A line is held until its newline has come. A line of `LIMIT` bytes or more is cut into partial pieces; unlike moby we cut
between UTF-8 characters, so that no piece holds half of one.
"""

LIMIT = 16 * 1024

Piece = tuple[bool, bytes]
"""(partial, bytes): either whole lines, each shorter than LIMIT and with its newline, or one partial piece without."""


class Lines:
    """The cutter of one stream."""

    __slots__ = ("_held", "_size")

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Piece]:
        """Return what can be recorded now that ``data`` came."""
        end = data.rfind(b"\n") + 1
        if end == 0:
            return self._hold(data)
        whole = data if end == len(data) else data[:end]
        if self._held:
            whole = b"".join((*self._held, whole))
            self._held.clear()
            self._size = 0
        pieces = _split_long(whole) if _has_long_line(whole) else [(False, whole)]
        if end < len(data):
            pieces += self._hold(data[end:])
        return pieces

    @property
    def held(self) -> bytes:
        """Return what has come and cannot be recorded yet."""
        return b"".join(self._held)

    def end(self) -> list[Piece]:
        """Return what is left when the stream has ended: a line without newline is a partial piece."""
        rest = b"".join(self._held)
        self._held.clear()
        self._size = 0
        return [(True, rest)] if rest else []

    def _hold(self, data: bytes) -> list[Piece]:
        self._held.append(data)
        self._size += len(data)
        if self._size < LIMIT:
            return []
        text = b"".join(self._held)
        pieces: list[Piece] = []
        start = 0
        while len(text) - start >= LIMIT:
            end = boundary(text, start)
            pieces.append((True, text[start:end]))
            start = end
        self._held[:] = [text[start:]] if start < len(text) else []
        self._size = len(text) - start
        return pieces


def boundary(text: bytes, start: int) -> int:
    """Return where the piece that begins at ``start`` ends: LIMIT bytes on, or up to three fewer before a character."""
    end = start + LIMIT
    if end >= len(text):
        # The character's rest has not come yet: look whether the last bytes are the beginning of one.
        return _before_open_character(text, start, len(text))
    for back in range(4):
        if text[end - back] & 0xC0 != 0x80:
            return end - back
    return end


def _before_open_character(text: bytes, start: int, end: int) -> int:
    for back in range(1, 4):
        byte = text[end - back]
        if byte & 0xC0 == 0x80:
            continue
        length = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return end - back if length > back else end
    return end


def _has_long_line(text: bytes) -> bool:
    position = 0
    while len(text) - position > LIMIT:
        newline = text.rfind(b"\n", position, position + LIMIT)
        if newline < 0:
            return True
        position = newline + 1
    return False


def _split_long(text: bytes) -> list[Piece]:
    """Cut lines that are too long; neighbours of whole lines stay together."""
    pieces: list[Piece] = []
    run = position = 0
    while position < len(text):
        newline = text.index(b"\n", position)
        if newline - position < LIMIT:
            position = newline + 1
            continue
        if run < position:
            pieces.append((False, text[run:position]))
        while newline - position >= LIMIT:
            end = boundary(text, position)
            pieces.append((True, text[position:end]))
            position = end
        run = position
        position = newline + 1
    if run < len(text):
        pieces.append((False, text[run:]))
    return pieces
