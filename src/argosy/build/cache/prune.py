"""Which entries of the cache go. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from argosy.base.errors import InvalidParameterError
from argosy.build.cache.record import STATE, CacheRecord
from argosy.images import listing

_FILTERS = {"until", "unused-for", "id", "parent", "type", "description", "inuse", "shared", "private"}
Filters = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Standing:
    """What an entry is besides its record."""

    in_use: bool
    shared: bool
    """Images have its files too: removing it frees nothing."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Bytes; zero: not given."""

    all: bool = False
    reserved: int = 0
    """Keep at least so much."""
    maximum: int = 0
    """Keep at most so much."""
    free: int = 0
    """So much is to be free on the disk afterwards."""
    available: int = 0
    """So much is free now."""


def choose(
    records: Sequence[CacheRecord], filters: Filters, wanted: Wanted, standing: Callable[[CacheRecord], Standing], now: int
) -> list[CacheRecord]:
    """Return the entries to remove, those not used for longest first; with them all that stand on them.

    Without bounds everything that the filters meet goes; without ``all`` only what no image has too.
    Raises InvalidParameterError on a filter that nobody knows.
    """
    listing.check_filters(filters, _FILTERS)
    met = [record for record in records if record.kind != STATE and _meets(record, filters, standing(record), now)]
    free_to_go = [record for record in met if not standing(record).in_use and (wanted.all or not standing(record).shared)]
    by_age = sorted(free_to_go, key=lambda record: (record.last_used or record.created, record.created))
    bounded = wanted.reserved or wanted.maximum or wanted.free
    if not bounded:
        return by_age
    held = sum(record.size for record in records if record.kind != STATE and not standing(record).shared)
    limit = wanted.maximum or wanted.reserved
    to_free = max(held - limit if limit else 0, wanted.free - wanted.available if wanted.free else 0)
    if wanted.reserved:
        to_free = min(to_free, held - wanted.reserved)
    gone: list[CacheRecord] = []
    for record in by_age:
        if to_free <= 0:
            break
        gone.append(record)
        to_free -= 0 if standing(record).shared else record.size
    return gone


def orphans(records: Sequence[CacheRecord], removed: Sequence[CacheRecord], chains: frozenset[str]) -> list[CacheRecord]:
    """Return hidden entries whose files nothing else holds, neither an entry that stays nor an image (``chains``)."""
    keys = {record.key for record in removed}
    left = {record.chain for record in records if record.kind != STATE and record.key not in keys} | chains | {""}
    return [record for record in records if record.kind == STATE and record.chain not in left]


def _meets(record: CacheRecord, filters: Filters, standing: Standing, now: int) -> bool:
    return all(_meets_one(record, key, values, standing, now) for key, values in filters.items())


def _meets_one(record: CacheRecord, key: str, values: Sequence[str], standing: Standing, now: int) -> bool:
    match key:
        case "until" | "unused-for":
            before = listing.until({"until": values}, now)
            return before is None or (record.last_used or record.created) < before
        case "id":
            return any(record.id.startswith(value.removeprefix("~=")) for value in values)
        case "parent":
            return any(record.parent.startswith(value) for value in values)
        case "type":
            return record.kind in values
        case "description":
            return any(value in record.description for value in values)
        case "inuse":
            return standing.in_use == _truth(values)
        case "shared":
            return standing.shared == _truth(values)
        case "private":
            return standing.shared != _truth(values)
    return True


def _truth(values: Sequence[str]) -> bool:
    word = values[0].lower() if values else "true"
    if word not in ("true", "1", "false", "0", ""):
        raise InvalidParameterError(f"invalid filter value: {values[0]}")
    return word in ("true", "1", "")
