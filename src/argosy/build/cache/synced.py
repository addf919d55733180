"""Directories of clients as they were when last sent, so that the next build is sent only what changed. Entries of the cache.

A tree is one build's at a time: it is moved into the build's context and moved back when the build is over; who comes meanwhile is sent
everything. It is not synced to the disk, so it counts only as long as the kernel runs that wrote it (the boot id is kept beside it).
"""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from argosy.base.clock import Clock
from argosy.base.failpoints import hit
from argosy.build import keys
from argosy.build.cache.record import LOCAL, CacheRecord
from argosy.build.cache.table import CacheTable
from argosy.storage.trash import Trash

Print = tuple[int, int, int, str, int, int]
"""What tells that a file has changed: mode, size, time in ns, link target, device."""
Listing = Mapping[str, Print]
"""Path → print."""


class _Kept(msgspec.Struct):
    boot: str
    files: dict[str, Print]


class SyncedTrees:
    """``home``: this one's alone, on the file system of the contexts. ``boot``: id of the kernel's run."""

    def __init__(self, home: Path, *, table: CacheTable, trash: Trash, clock: Clock, boot: str) -> None:
        self._home = home
        self._table = table
        self._trash = trash
        self._clock = clock
        self._boot = boot

    def open(self) -> None:
        """Sweep what a crash left."""
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = {record.place for record in self._table.all() if record.kind == LOCAL}
        for left in self._home.iterdir():
            if left.name not in known:
                self._trash.put(left)

    def take(self, name: str, target: Path) -> Listing | None:
        """Move the tree of that name to ``target``, an empty directory, and return what is in it; None if there is none."""
        record = self._table.find(_key(name))
        if record is None:
            return None
        self._table.forget(record.key)
        place = self._home / record.place
        try:
            kept = msgspec.msgpack.decode((place / "listing").read_bytes(), type=_Kept)
            if kept.boot != self._boot:
                return None
            target.rmdir()
            (place / "root").rename(target)
            hit("build.synced.taken")
            return kept.files
        except (OSError, msgspec.DecodeError):
            target.mkdir(mode=0o755, exist_ok=True)
            return None
        finally:
            self._trash.put(place)

    def give(self, name: str, tree: Path, listing: Listing, description: str) -> None:
        """Keep a tree, in place of the one before; it is gone from where it was."""
        aside = self._home / f".{os.urandom(8).hex()}"
        aside.mkdir(mode=0o700)
        (aside / "listing").write_bytes(msgspec.msgpack.encode(_Kept(self._boot, dict(listing))))
        tree.rename(aside / "root")
        place = aside.name[1:]
        aside.rename(self._home / place)
        hit("build.synced.given")
        if (before := self._table.find(_key(name))) is not None:
            self.remove(before)
        now = self._clock.now_ns()
        size = sum(entry[1] for entry in listing.values())
        self._table.put(CacheRecord(_key(name), LOCAL, created=now, last_used=now, uses=1, size=size, description=description, place=place))

    def remove(self, record: CacheRecord) -> None:
        """Take the tree away; the entry is the caller's."""
        self._trash.put(self._home / record.place)


def outdated(before: Listing, now: Listing) -> list[str]:
    """Return the paths to be removed before what changed is written: those that are gone, and those of another kind. Shortest first."""
    return sorted(path for path, entry in before.items() if path not in now or _kind(entry) != _kind(now[path]))


def _kind(entry: Print) -> int:
    """All bits of Go's file mode that are neither permissions nor set-id bits."""
    return entry[0] & ~(0o777 | 1 << 23 | 1 << 22 | 1 << 20)


def _key(name: str) -> str:
    return keys.key("local", None, name)
