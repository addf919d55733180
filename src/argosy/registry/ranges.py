"""Ranges: of downloads (RFC 9110 14) and of uploads (distribution specification, "Pushing a blob in chunks")."""

import re

from argosy.registry.errors import RegistryError

_ONE_RANGE = re.compile(r"bytes=(\d*)-(\d*)\Z")
_CHUNK = re.compile(r"(?:bytes[ =])?(\d+)-(\d+)(?:/(?:\d+|\*))?\Z")


def part_of(header: str, size: int) -> tuple[int, int] | None:
    """Return (offset, count) that a ``Range`` header asks for; None when the whole is to be sent.

    Several ranges, other units and broken headers may be ignored (RFC 9110 14.2). Raises RegistryError with 416 when nothing of
    the content is in the range.
    """
    match = _ONE_RANGE.match(header.strip())
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        count = min(int(match[2]), size)
        if count == 0:
            raise _outside(size)
        return size - count, count
    first = int(match[1])
    last = min(int(match[2]), size - 1) if match[2] else size - 1
    if match[2] and int(match[2]) < first:
        return None
    if first >= size:
        raise _outside(size)
    return first, last - first + 1


def _outside(size: int) -> RegistryError:
    return RegistryError("RANGE_INVALID", "requested range not satisfiable", headers={"Content-Range": f"bytes */{size}"})


def chunk_of(header: str) -> tuple[int, int]:
    """Return (first, last) of an upload's ``Content-Range``. Raises RegistryError with 416 when it is none."""
    match = _CHUNK.match(header.strip())
    if match is None or int(match[2]) < int(match[1]):
        raise RegistryError("RANGE_INVALID", f"invalid Content-Range {header!r}: expected FIRST-LAST")
    return int(match[1]), int(match[2])


def progress(size: int) -> str:
    """Return the ``Range`` header that tells what an upload has: ``0-0`` for nothing, as Docker's registry says it."""
    return f"0-{max(size - 1, 0)}"
