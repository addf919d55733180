"""The build cache as its users see it: what it holds, and taking it away."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from argosy.base.clock import Clock, rfc3339_nano
from argosy.base.failpoints import hit
from argosy.build.cache import prune
from argosy.build.cache.mounts import CacheMounts
from argosy.build.cache.prune import Standing, Wanted
from argosy.build.cache.record import MOUNT, STATE, CacheRecord
from argosy.build.cache.table import CacheTable
from argosy.build.ports import Images

Filters = Mapping[str, Sequence[str]]


class Place(Protocol):
    def remove(self, record: CacheRecord) -> None:
        """Take an entry's files away."""
        ...


class CacheKeeper:
    """``places``: where the files of entries of a kind lie."""

    def __init__(
        self,
        *,
        table: CacheTable,
        mounts: CacheMounts,
        places: Mapping[str, Place],
        images: Images,
        clock: Clock,
        home: Path,
    ) -> None:
        self._table = table
        self._mounts = mounts
        self._places = places
        self._images = images
        self._clock = clock
        self._home = home

    async def usage(self) -> list[dict[str, Any]]:
        """Return the entries as the API's ``BuildCache``, oldest first; what images or containers need is shared, and in their sum."""
        chains = self._images.needed_chains()
        records = sorted(await self._measured(), key=lambda record: record.created)
        return [self._wire(record, self._standing(record, chains)) for record in records]

    async def prune(self, filters: Filters, *, all: bool, reserved: int, maximum: int, free: int) -> tuple[list[str], int]:
        """Remove entries (see `cache.prune`); return their ids and the bytes freed. Raises InvalidParameterError."""
        chains = self._images.layer_chains()
        records = [*await self._measured(), *(record for record in self._table.all() if record.kind == STATE)]
        wanted = Wanted(all=all, reserved=reserved, maximum=maximum, free=free, available=_available(self._home))
        gone = prune.choose(records, filters, wanted, lambda record: self._standing(record, chains), self._clock.now_ns())
        hidden = prune.orphans(records, gone, chains)
        hit("build.prune.chosen")
        # Files and entries go in one step of the loop: a build that comes while this waits for the disk starts anew, and an entry
        # whose files went before a crash is one without files, which the next build makes again.
        for record in gone:
            if record.kind in self._places:
                self._places[record.kind].remove(record)
        hit("build.prune.removed")
        await self._table.remove(record.key for record in (*gone, *hidden))
        hit("build.prune.forgotten")
        freed = sum(record.size for record in gone if record.kind in self._places)
        freed += await self._images.collect()
        return [record.id for record in gone], freed

    async def _measured(self) -> list[CacheRecord]:
        """Return the visible entries; a mount's size is what is in it now."""
        found = []
        for record in self._table.all():
            if record.kind == MOUNT:
                found.append(msgspec.structs.replace(record, size=await self._mounts.size(record)))
            elif record.kind != STATE:
                found.append(record)
        return found

    def _standing(self, record: CacheRecord, chains: frozenset[str]) -> Standing:
        in_use = self._table.used(record.key) or self._mounts.used(record.key)
        return Standing(in_use=in_use, shared=bool(record.diff_id) and record.chain in chains)

    def _wire(self, record: CacheRecord, standing: Standing) -> dict[str, Any]:
        wire: dict[str, Any] = {
            "ID": record.id,
            "Type": record.kind,
            "Description": record.description,
            "InUse": standing.in_use,
            "Shared": standing.shared,
            "Size": record.size,
            "CreatedAt": rfc3339_nano(record.created),
            "LastUsedAt": rfc3339_nano(record.last_used) if record.last_used else None,
            "UsageCount": record.uses,
        }
        if record.parent:
            wire["Parents"] = [record.parent[:25]]
        return wire


def _available(path: Path) -> int:
    try:
        found = os.statvfs(path)
    except FileNotFoundError:
        return 0
    return found.f_bavail * found.f_frsize
