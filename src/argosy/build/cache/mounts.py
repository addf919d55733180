"""Directories of ``RUN --mount=type=cache``: they outlive builds, and are pruned like other entries of the cache.

``shared``: everybody gets the same directory; ``locked``: one at a time; ``private``: a second one who comes meanwhile gets
another directory.
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from argosy.base.clock import Clock
from argosy.build import keys
from argosy.build.cache.record import MOUNT, CacheRecord
from argosy.build.cache.table import CacheTable
from argosy.storage.ports import Workers
from argosy.storage.trash import Trash


@dataclass(frozen=True, slots=True)
class CacheMount:
    id: str
    sharing: str
    mode: int = 0o755
    uid: int = 0
    gid: int = 0


class CacheMounts:
    """``home`` holds one directory a mount; what no entry names is swept by `open`."""

    def __init__(self, home: Path, *, table: CacheTable, workers: Workers, trash: Trash, clock: Clock) -> None:
        self._home = home
        self._table = table
        self._workers = workers
        self._trash = trash
        self._clock = clock
        self._locks: dict[str, asyncio.Lock] = {}
        self._users: Counter[str] = Counter()

    def open(self) -> None:
        """Sweep what a crash left."""
        self._home.mkdir(mode=0o711, parents=True, exist_ok=True)
        known = {record.place for record in self._table.all() if record.kind == MOUNT}
        for left in self._home.iterdir():
            if left.name not in known:
                self._trash.put(left)

    @asynccontextmanager
    async def held(self, mount: CacheMount) -> AsyncIterator[tuple[Path, bool]]:
        """Yield (the directory, whether it is new) while it is used."""
        if mount.sharing == "locked":
            async with self._locks.setdefault(mount.id, asyncio.Lock()):
                with self._taken(mount, self._key(mount, 0)) as found:
                    yield found
            return
        number = 0
        while mount.sharing == "private" and self._users[self._key(mount, number)]:
            number += 1
        with self._taken(mount, self._key(mount, number)) as found:
            yield found

    @staticmethod
    def _key(mount: CacheMount, number: int) -> str:
        return keys.key("mount", None, mount.id, number)

    @contextmanager
    def _taken(self, mount: CacheMount, key: str) -> Iterator[tuple[Path, bool]]:
        self._users[key] += 1
        try:
            yield self._take(mount, key)
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key]

    def _take(self, mount: CacheMount, key: str) -> tuple[Path, bool]:
        """Return the directory of an entry, made now if it is new. The entry is written with the build's others."""
        record = self._table.find(key)
        path = self._home / key[:32]
        fresh = record is None or not path.is_dir()
        if fresh:
            path.mkdir(mode=0o700, exist_ok=True)
            os.chown(path, mount.uid, mount.gid)
            path.chmod(mount.mode)
            now = self._clock.now_ns()
            self._table.put(CacheRecord(key, MOUNT, created=now, last_used=now, description=f"cached mount {mount.id}", place=path.name))
        self._table.touch(key)
        return path, fresh

    def used(self, key: str) -> bool:
        return key in self._users

    async def size(self, record: CacheRecord) -> int:
        """Return the bytes in the directory."""
        try:
            fd = os.open(self._home / record.place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            return 0
        try:
            return int(await self._workers.run("usage", {}, fds=[fd]))
        finally:
            os.close(fd)

    def remove(self, record: CacheRecord) -> None:
        """Take the directory away; the entry is the caller's."""
        self._trash.put(self._home / record.place)
