"""What the reader needs of a log driver's file format."""

from typing import Protocol

from argosy.engine.logs.render import Renderer


class Format(Protocol):
    def complete(self, piece: bytes) -> int:
        """Return how many bytes at the start of ``piece`` are whole records."""
        ...

    def render(self, piece: bytes, renderer: Renderer, after: str) -> bytes:
        """Return what a client gets of these whole records; only entries later than ``after`` unless it is empty.

        A record that cannot be understood (the host lost power while it was written) is passed over.
        """
        ...

    def last_time(self, piece: bytes) -> str:
        """Return the time of the last record of ``piece``, nine digits; empty if there is none."""
        ...

    def first_time(self, piece: bytes) -> str:
        """Return the time of the first record of ``piece``, nine digits; empty if there is none."""
        ...

    def tail(self, fd: int, size: int, count: int) -> tuple[int, int]:
        """Return (offset of the ``count``-th last record, how many were missing at the beginning of the file)."""
        ...

    def seek(self, fd: int, size: int, since: str) -> int:
        """Return an offset at a record's start, before which all is earlier than ``since``."""
        ...
