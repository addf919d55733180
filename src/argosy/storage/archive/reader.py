"""The members of a tar stream, one after the other."""

from __future__ import annotations

import os

from argosy.storage.archive import header, sparse
from argosy.storage.archive.entry import BLOCK, REGULAR, ArchiveError, Entry
from argosy.storage.archive.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argosy.storage.archive.source import Tap

_LONGEST = 1 << 20
"""Of a name or a PAX header; Go's limit too (archive/tar maxSpecialFileSize)."""


class Reader:
    """Call `next` until it returns None; between two calls read the entry's data by `copy`, or leave it.

    With ``tap`` every byte that is not file data read by `copy` lands in that list (headers, padding, data left out).
    """

    def __init__(self, source: Source, tap: Tap | None = None) -> None:
        self.source = source
        self._tap = source.tap = tap
        self._left = 0
        self._padding = 0
        self._global: dict[bytes, bytes] = {}
        self._globals = 0

    def next(self) -> Entry | None:
        """Return the next entry, None at the end. Raises ArchiveError."""
        self._pass_over()
        records: dict[bytes, bytes] = {}
        long_name = long_link = None
        while True:
            block = self.source.take(BLOCK)
            if len(block) != BLOCK:
                if block or records or long_name is not None:
                    raise ArchiveError("unexpected EOF")
                # No end marker: Go's reader takes it as the end too.
                return None
            raw = header.parse(block)
            if raw is None:
                self._finish()
                return None
            entry = raw.entry
            kind = entry.kind
            if kind == b"x":
                records = header.parse_records(self._special(entry))
            elif kind == b"g":
                self._remember(self._special(entry))
            elif kind == b"L":
                long_name = self._special(entry).split(b"\0", 1)[0]
            elif kind == b"K":
                long_link = self._special(entry).split(b"\0", 1)[0]
            else:
                break
        self._merge(raw, records, long_name, long_link)
        self._left = entry.stored
        return entry

    def copy(self, out: int) -> None:
        """Write the entry's data to the file ``out`` at its position, all of it, as stored."""
        self.source.copy(out, self._left)
        self._left = 0

    def copy_part(self, out: int, count: int) -> None:
        """Write the next ``count`` bytes of the entry's data to ``out`` and keep them for the tap."""
        self._left -= count
        if self._tap is None:
            self.source.copy(out, count)
            return
        while count:
            data = memoryview(self.source.need(min(count, 1 << 16)))
            count -= len(data)
            while data:
                data = data[os.write(out, data) :]

    def data(self, limit: int) -> bytes:
        """Return the entry's data. Raises ArchiveError when it is more than ``limit`` bytes."""
        if self._left > limit:
            raise ArchiveError("archive member is too large")
        data = self.source.need(self._left) if self._left else b""
        self._left = 0
        return data

    def _merge(self, raw: header.Raw, records: dict[bytes, bytes], name: bytes | None, link: bytes | None) -> None:
        entry = raw.entry
        if name is not None:
            entry.name = name
        if link is not None:
            entry.linkname = link
        if self._global or records:
            records = {**self._global, **records}
            header.apply_records(entry, records)
        self._padding = -entry.stored % BLOCK
        if entry.kind == b"S":
            entry.kind = REGULAR
            sparse.old_gnu(self.source, raw.block, entry)
        elif records and entry.kind == REGULAR:
            sparse.pax(self.source, records, entry)

    def _remember(self, data: bytes) -> None:
        """A global header holds for all that follows; one after the other must not fill the memory."""
        self._globals += len(data)
        if self._globals > _LONGEST:
            raise ArchiveError("archive/tar: header field too long")
        self._global.update(header.parse_records(data))

    def _special(self, entry: Entry) -> bytes:
        if entry.size > _LONGEST:
            raise ArchiveError("archive/tar: header field too long")
        data = self.source.need(entry.size) if entry.size else b""
        if entry.size % BLOCK:
            self.source.need(-entry.size % BLOCK)
        return data

    def _pass_over(self) -> None:
        if self._left:
            if self._tap is None:
                self.source.skip(self._left)
            else:
                while self._left:
                    self._left -= len(self.source.need(min(self._left, 1 << 16)))
            self._left = 0
        if self._padding:
            self.source.need(self._padding)
            self._padding = 0

    def _finish(self) -> None:
        if self._tap is None:
            self.source.drain()
        else:
            self.source.rest()
