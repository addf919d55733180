"""The build cache: in memory for looking up, in ``state.db`` for good.

An entry can be used as soon as it is `put`; it is written by `save`, after the layers that it names are on the disk
(`storage.drafts`). A crash in between forgets it. Its layers are roots that keep them from being collected.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import msgspec

from argosy.base import failpoints
from argosy.base.clock import Clock
from argosy.build.cache.record import CACHE, CacheRecord
from argosy.storage import database
from argosy.storage.database import Database


class CacheTable:
    def __init__(self, *, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._records: dict[str, CacheRecord] = {}
        self._changed: set[str] = set()
        self._used: Counter[str] = Counter()

    def load(self) -> None:
        """Learn what is there."""
        for key, value in self._db.load(CACHE).items():
            try:
                self._records[key] = msgspec.json.decode(value, type=CacheRecord)
            except msgspec.DecodeError:
                continue

    def all(self) -> list[CacheRecord]:
        return list(self._records.values())

    def find(self, key: str) -> CacheRecord | None:
        return self._records.get(key)

    def put(self, record: CacheRecord) -> None:
        """Add or replace an entry."""
        self._records[record.key] = record
        self._changed.add(record.key)

    def touch(self, key: str) -> None:
        """Note that it was used now."""
        record = self._records.get(key)
        if record is not None:
            self.put(msgspec.structs.replace(record, last_used=self._clock.now_ns(), uses=record.uses + 1))

    def forget(self, key: str) -> None:
        """Drop an entry whose files are gone."""
        self._records.pop(key, None)
        self._changed.add(key)

    @contextmanager
    def using(self, key: str) -> Iterator[None]:
        """Keep an entry from being pruned while the block runs."""
        self._used[key] += 1
        try:
            yield
        finally:
            self._used[key] -= 1
            if not self._used[key]:
                del self._used[key]

    def used(self, key: str) -> bool:
        return key in self._used

    def roots(self) -> list[str]:
        """Return the chain IDs that must stay."""
        return [record.chain for record in self._records.values() if record.chain]

    async def save(self) -> None:
        """Write what changed since the last time. The layers that it names must be settled."""
        if not self._changed:
            return
        changed, self._changed = self._changed, set()
        values = {key: msgspec.json.encode(record) for key in changed if (record := self._records.get(key)) is not None}
        failpoints.hit("build.cache.save")

        def write(connection: sqlite3.Connection) -> None:
            for key in changed:
                if key in values:
                    database.put(connection, CACHE, key, values[key])
                else:
                    database.delete(connection, CACHE, key)

        try:
            await self._db.write(write)
        except BaseException:
            self._changed |= changed
            raise

    async def remove(self, keys: Iterable[str]) -> None:
        """Forget entries, on the disk on return."""
        for key in keys:
            self.forget(key)
        await self.save()
