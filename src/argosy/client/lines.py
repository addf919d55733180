"""Cut pieces of a stream into lines."""

from __future__ import annotations


class LineSplitter:
    """Gathers bytes until a line is complete; empty lines are dropped (progress streams end in ``\\r\\n``)."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> list[bytes]:
        if b"\n" not in data:
            self._parts.append(data)
            return []
        whole = b"".join((*self._parts, data))
        *lines, rest = whole.split(b"\n")
        self._parts = [rest]
        return [line for line in lines if line.strip()]

    def end(self) -> list[bytes]:
        """Return the last line when it had no line end."""
        rest = b"".join(self._parts)
        self._parts = []
        return [rest] if rest.strip() else []
