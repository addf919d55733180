"""Garbage collection: look, decide (`mark`, `retention`), remove. Also while a server works on the same root."""

import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from argosy.base import failpoints
from argosy.base.clock import Clock
from argosy.registry.errors import RegistryError
from argosy.registry.gc.mark import Entry, Plan, Snapshot, plan
from argosy.registry.gc.retention import Rule, dropped
from argosy.registry.storage import locks
from argosy.registry.storage.catalogue import folders
from argosy.registry.storage.layout import Layout
from argosy.registry.storage.manifests import Manifests, list_digests
from argosy.registry.storage.writing import remove, sync_directory

_ASIDE_SECONDS = 86400.0
"""Files on their way to a rename take milliseconds; those of a process that died are removed after a day."""


@dataclass(slots=True)
class Report:
    tags: int = 0
    manifests: int = 0
    blobs: int = 0
    uploads: int = 0
    freed: int = 0
    """Bytes given back to the file system."""


class Collector:
    """``say`` is told of everything that is removed; with ``dry_run`` nothing is."""

    def __init__(
        self,
        *,
        layout: Layout,
        clock: Clock,
        grace: float,
        uploads: float,
        untagged: bool,
        rules: Sequence[Rule],
        say: Callable[[str], None],
        dry_run: bool = False,
    ) -> None:
        self._layout = layout
        self._manifests = Manifests(layout)
        self._clock = clock
        self._grace = grace
        self._uploads = uploads
        self._untagged = untagged
        self._rules = rules
        self._say = say
        self._dry_run = dry_run
        self._released: dict[tuple[int, int], int] = {}
        """Inode → how many of its links this run removes; so a dry run knows what would be free."""
        self.report = Report()

    def run(self) -> Report:
        for name in list(folders(self._layout)):
            self._repository(name)
        self._pool()
        self._aside()
        return self.report

    # ------------------------------------------------------------------ a repository

    def _repository(self, name: str) -> None:
        known: dict[str, Entry] = {}
        self._snapshot(name, known)
        lock = nullcontext() if self._dry_run else locks.removing(self._layout, name)
        with lock:
            # Only what came meanwhile has to be read while pushes wait.
            snapshot = self._snapshot(name, known)
            ages = {tag: self._age(self._layout.tag(name, tag)) for tag in snapshot.tags}
            decided = plan(snapshot, dropped=dropped(self._rules, name, ages), grace=self._grace, untagged=self._untagged)
            self._count(name, decided)
            if not self._dry_run:
                self._apply(name, decided)
            self._old_uploads(name)
            if not self._dry_run:
                self._remove_if_empty(name)

    def _snapshot(self, name: str, known: dict[str, Entry]) -> Snapshot:
        layout, read = self._layout, self._manifests
        manifests: dict[str, Entry] = {}
        for digest in read.digests(name):
            age = self._age(layout.manifest(name, digest))
            entry = known.get(digest) or self._entry(name, digest)
            if entry is not None:
                known[digest] = entry
                manifests[digest] = Entry(age, entry.blobs, entry.manifests, entry.subject)
        tags = {tag: target for tag in read.tags(name) if (target := read.resolve(name, tag))}
        blobs = {digest: self._age(layout.blob(name, digest)) for digest in list_digests(f"{layout.repository(name)}/_blobs")}
        return Snapshot(tags, manifests, blobs)

    def _entry(self, name: str, digest: str) -> Entry | None:
        stored = self._manifests.read(name, digest)
        if stored is None:
            return None
        try:
            view = stored.view()
        except RegistryError:
            self._say(f"{name}: manifest {digest} cannot be read: nothing of this repository is safe to remove")
            raise
        blobs = tuple(part.digest for part in (*view.blobs, *view.foreign))
        return Entry(0.0, blobs, tuple(part.digest for part in view.manifests), view.subject)

    def _count(self, name: str, decided: Plan) -> None:
        for tag in decided.tags:
            self._say(f"{name}: tag {tag}")
        for digest in decided.manifests:
            self._say(f"{name}: manifest {digest}")
        for digest in decided.blobs:
            self._say(f"{name}: blob {digest}")
            self._release(self._layout.blob(name, digest))
        self.report.tags += len(decided.tags)
        self.report.manifests += len(decided.manifests)
        self.report.blobs += len(decided.blobs)

    def _apply(self, name: str, decided: Plan) -> None:
        layout = self._layout
        failpoints.hit("registry.gc.decided")
        for tag in decided.tags:
            remove(layout.tag(name, tag))
        if decided.tags:
            sync_directory(layout.tags(name))
        for digest in decided.manifests:
            self._manifests.remove_locked(name, digest)
            failpoints.hit("registry.gc.manifest")
        for digest in decided.blobs:
            remove(layout.blob(name, digest))
            failpoints.hit("registry.gc.blob")

    def _old_uploads(self, name: str) -> None:
        folder = self._layout.uploads(name)
        for upload in _names(folder):
            path = f"{folder}/{upload}"
            if self._age(path) >= self._uploads:
                self._say(f"{name}: upload {upload}")
                self.report.uploads += 1
                status = os.stat(path)
                if status.st_nlink == 1:
                    self.report.freed += status.st_size
                if not self._dry_run:
                    remove(path)

    def _remove_if_empty(self, name: str) -> None:
        """Called with the lock held for removing: who waits for it finds it gone and makes another."""
        folder = self._layout.repository(name)
        for part in ("_blobs", "_manifests", "_tags", "_referrers", "_uploads"):
            _prune(f"{folder}/{part}")
        if set(_names(folder)) == {"_lock"}:
            remove(f"{folder}/_lock")
            while folder != self._layout.repositories and _rmdir(folder):
                folder = os.path.dirname(folder)

    # ------------------------------------------------------------------ the pool

    def _pool(self) -> None:
        failpoints.hit("registry.gc.pool")
        for algorithm in _names(self._layout.pool):
            for start in _names(f"{self._layout.pool}/{algorithm}"):
                folder = f"{self._layout.pool}/{algorithm}/{start}"
                for value in _names(folder):
                    self._pooled(f"{folder}/{value}")
                if not self._dry_run:
                    _rmdir(folder)

    def _pooled(self, path: str) -> None:
        try:
            status = os.stat(path)
        except FileNotFoundError:
            return
        links = status.st_nlink - (self._released.get((status.st_dev, status.st_ino), 0) if self._dry_run else 0)
        if links == 1 and self._old(status.st_mtime_ns):
            self.report.freed += status.st_size
            if not self._dry_run:
                remove(path)

    def _aside(self) -> None:
        for name in _names(self._layout.tmp):
            path = f"{self._layout.tmp}/{name}"
            if self._age(path) >= _ASIDE_SECONDS and not self._dry_run:
                remove(path)

    # ------------------------------------------------------------------ ages

    def _release(self, path: str) -> None:
        status = os.stat(path)
        key = (status.st_dev, status.st_ino)
        self._released[key] = self._released.get(key, 0) + 1

    def _age(self, path: str) -> float:
        """Return seconds since the file was written or a client was told of it; a file that is gone is new."""
        try:
            return (self._clock.now_ns() - os.stat(path).st_mtime_ns) / 1e9
        except FileNotFoundError:
            return 0.0

    def _old(self, modified_ns: int) -> bool:
        return (self._clock.now_ns() - modified_ns) / 1e9 >= self._grace


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _rmdir(folder: str) -> bool:
    try:
        os.rmdir(folder)
    except OSError:
        return False
    return True


def _prune(folder: str) -> None:
    """Remove a folder and those below it as far as they are empty."""
    for name in _names(folder):
        if os.path.isdir(f"{folder}/{name}"):
            _prune(f"{folder}/{name}")
    _rmdir(folder)
