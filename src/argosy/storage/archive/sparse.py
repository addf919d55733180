"""Sparse files in the four forms that GNU tar writes (GNU tar manual, "Storing Sparse Files")."""

from __future__ import annotations

from argosy.storage.archive.entry import BLOCK, ArchiveError, Entry
from argosy.storage.archive.header import number
from argosy.storage.archive.source import Source

_OLD_FIRST = 386
_DIGITS = 20
_MOST = 1 << 20
"""Segments; a map that claims more is an attack on memory."""


def old_gnu(source: Source, block: bytes, entry: Entry) -> None:
    """Read the map of a type ``S`` header, which may go on in further blocks."""
    segments: list[tuple[int, int]] = []
    extended = _old_block(block[_OLD_FIRST : _OLD_FIRST + 96], block[482], segments)
    entry.size = number(block[483:495])
    while extended:
        more = source.need(BLOCK)
        extended = _old_block(more[:504], more[504], segments)
        if len(segments) > _MOST:
            raise ArchiveError("archive/tar: invalid tar header")
    _set(entry, segments)


def _old_block(table: bytes, extended: int, segments: list[tuple[int, int]]) -> bool:
    for at in range(0, len(table), 24):
        if table[at] == 0:
            break
        segments.append((number(table[at : at + 12]), number(table[at + 12 : at + 24])))
    return extended != 0


def pax(source: Source, records: dict[bytes, bytes], entry: Entry) -> None:
    """Read formats 0.0, 0.1 and 1.0, told by the records of the PAX header."""
    if b"GNU.sparse.major" in records and records[b"GNU.sparse.major"] == b"1":
        _name(entry, records)
        entry.size = _integer(records.get(b"GNU.sparse.realsize", b""))
        _set(entry, _map_in_data(source, entry))
    elif b"GNU.sparse.map" in records:
        _name(entry, records)
        entry.size = _integer(records.get(b"GNU.sparse.size", b""))
        numbers = [_integer(part) for part in records[b"GNU.sparse.map"].split(b",")] if records[b"GNU.sparse.map"] else []
        if len(numbers) % 2:
            raise ArchiveError("archive/tar: invalid tar header")
        _set(entry, list(zip(numbers[::2], numbers[1::2])))


def _name(entry: Entry, records: dict[bytes, bytes]) -> None:
    if b"GNU.sparse.name" in records:
        entry.name = records[b"GNU.sparse.name"]


def _map_in_data(source: Source, entry: Entry) -> list[tuple[int, int]]:
    """Format 1.0: decimal numbers, one a line, padded to a block, in front of the data."""
    blocks: list[bytes] = []
    lines, wanted = 0, 1
    while lines < wanted:
        if entry.stored < BLOCK:
            raise ArchiveError("archive/tar: invalid tar header")
        block = source.need(BLOCK)
        entry.stored -= BLOCK
        blocks.append(block)
        lines += block.count(b"\n")
        if len(blocks) == 1:
            # The first number, of at most 20 digits, says how many pairs follow.
            wanted = 1 + 2 * _integer(block.partition(b"\n")[0])
            if wanted > _MOST:
                raise ArchiveError("archive/tar: invalid tar header")
    numbers = [_integer(line) for line in b"".join(blocks).split(b"\n")[1:wanted]]
    return list(zip(numbers[::2], numbers[1::2]))


def _integer(text: bytes) -> int:
    if not text.isdigit() or len(text) > _DIGITS:
        raise ArchiveError("archive/tar: invalid tar header")
    return int(text)


def _set(entry: Entry, segments: list[tuple[int, int]]) -> None:
    position = 0
    for offset, length in segments:
        if offset < position or length < 0 or offset + length > entry.size:
            raise ArchiveError("archive/tar: invalid tar header")
        position = offset + length
    if sum(length for _, length in segments) != entry.stored:
        raise ArchiveError("archive/tar: invalid tar header")
    entry.sparse = [segment for segment in segments if segment[1]]
