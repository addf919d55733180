"""Lists in pieces: ``n``, ``last`` and the ``Link`` header (distribution specification, "Listing Tags"; RFC 8288)."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from argosy.registry.errors import RegistryError


@dataclass(frozen=True, slots=True)
class Page:
    items: Sequence[str]
    link: str = ""
    """``Link`` header of the next page, empty on the last."""


def wanted(text: str) -> int | None:
    """Return the number in ``n``, None without one. Raises RegistryError PAGINATION_NUMBER_INVALID."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise RegistryError("PAGINATION_NUMBER_INVALID", detail={"n": text})
    return int(text)


def page_of(ordered: Sequence[str], *, n: int | None, last: str, path: str) -> Page:
    """Return the piece of a sorted list that comes after ``last``; ``path`` is what the link points to."""
    start = bisect_right(ordered, last) if last else 0
    if n is None:
        return Page(ordered[start:])
    items = ordered[start : start + n]
    if n == 0 or start + n >= len(ordered):
        return Page(items)
    return Page(items, f'<{path}?{urlencode({"last": items[-1], "n": n})}>; rel="next"')
