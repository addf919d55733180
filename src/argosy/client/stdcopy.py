"""Docker's framing of two output streams in one connection (API description, ContainerAttach).

A frame is ``[stream, 0, 0, 0, length as 4 bytes big-endian]`` and the payload; stream 0 and 1 are
standard output (0 is what stdin looks like when echoed), 2 standard error, 3 an error of the daemon.
"""

from __future__ import annotations

from argosy.client.errors import ProtocolError

STDIN, STDOUT, STDERR, SYSTEM = range(4)
_HEADER = 8


class Demultiplexer:
    """Cuts a byte stream into ``(stream, payload)``; payloads are passed on as they come, not gathered."""

    def __init__(self) -> None:
        self._header = b""
        self._stream = STDOUT
        self._left = 0

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Return the pieces that ``data`` completes; raise ProtocolError on a stream number that does not exist."""
        out: list[tuple[int, bytes]] = []
        at = 0
        while at < len(data):
            if self._left:
                piece = data[at : at + self._left]
                at += len(piece)
                self._left -= len(piece)
                out.append((self._stream, piece))
                continue
            need = _HEADER - len(self._header)
            self._header += data[at : at + need]
            at += need
            if len(self._header) == _HEADER:
                self._open(self._header)
                self._header = b""
        return out

    def _open(self, header: bytes) -> None:
        if header[0] > SYSTEM:
            raise ProtocolError(f"Unrecognized input header: {header[0]}")
        self._stream = header[0]
        self._left = int.from_bytes(header[4:], "big")

    @property
    def in_frame(self) -> bool:
        """True when the stream ended inside a frame."""
        return bool(self._left or self._header)
