"""Writable snapshots by container id on top of the layers (`engine.ports.Snapshots`)."""

import asyncio
import os
import re
from collections.abc import Mapping, Sequence

from argosy.base import failpoints
from argosy.base.errors import InvalidParameterError, NotFoundError
from argosy.storage.ingest import LayerIngest
from argosy.storage.layer import Layer, hex_of
from argosy.storage.layers import Layers
from argosy.storage.model import RootMount
from argosy.storage.space import named
from argosy.storage.sync import sync_directory

_MARK, _NOTHING = "parent-", "nothing"
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}\Z")


class Snapshots:
    """``home/snapshots/KEY/{diff,work,parent-HEX}``. What a container wrote is its own affair and not synced.

    That the snapshot is there and what it stands on are names in directories, not content of files: a journal keeps names in the order
    in which they were made, so whoever finds the snapshot after a power failure finds its parent. A file would be found empty. The name
    is synced, because the commit of the container's record does not do it: SQLite's fdatasync of a log that does not grow leaves the
    journal alone (fdatasync(2)), and the record would come back without its snapshot.
    """

    def __init__(self, layers: Layers) -> None:
        self.driver = layers.driver.name
        self.layers = layers
        self._home = layers.home / "snapshots"
        self._home.mkdir(mode=0o710, parents=True, exist_ok=True)
        self._parents: dict[str, str | None] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    def open(self) -> None:
        """Learn what is there. `Layers.open` comes first."""
        for tree in self._home.iterdir():
            marks = [name.removeprefix(_MARK) for name in os.listdir(tree) if name.startswith(_MARK)]
            if len(marks) == 1:
                self._parents[tree.name] = None if marks[0] == _NOTHING else f"sha256:{marks[0]}"
            else:
                self.layers.trash.put(tree)

    @property
    def sized(self) -> bool:
        """Whether a snapshot can be given a size."""
        return self.layers.driver.sized

    async def prepare(self, key: str, parent: str | None, size: int = 0) -> RootMount:
        """Make (or find again) the writable snapshot ``key`` on the layer with chain ID ``parent``; ``size``: bytes that it may hold."""
        if _KEY.match(key) is None:
            raise InvalidParameterError(f"invalid snapshot key {key!r}")
        async with self._locks.setdefault(key, asyncio.Lock()):
            if key not in self._parents:
                with self.layers.leases.hold(*([parent] if parent else [])), named(self._home, f"making the file system of {key[:12]}"):
                    await self._make(key, parent, size)
        self._locks.pop(key, None)
        return await self.mounts(key)

    async def mounts(self, key: str) -> RootMount:
        """Return the mount of an existing snapshot. Raises NotFoundError."""
        parent = self.parent(key)
        return self.layers.driver.writable(self._home / key, await self.layers.below(parent))

    async def view(self, chain: str) -> RootMount:
        """Return the mount of a layer and all below it, to be read. Raises NotFoundError."""
        return self.layers.driver.view(self.layers.stack(chain))

    async def remove(self, key: str) -> None:
        """Rename it to the trash and return; the space is freed later. Absent is fine."""
        if key not in self._parents:
            return
        del self._parents[key]
        failpoints.hit("storage.snapshot.remove")
        self.layers.driver.release(self._home / key)
        self.layers.trash.put(self._home / key)

    async def usage(self, key: str) -> int:
        """Return the bytes that the snapshot itself holds (SizeRw)."""
        parent = self.parent(key)
        trees = [self._home / key]
        if not self.layers.driver.overlay:
            trees.append((await self.layers.below(parent))[0])
        fds = [os.open(tree / "diff", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) for tree in trees]
        try:
            return int(await self.layers.workers.run("usage", {}, fds=fds))
        finally:
            for fd in fds:
                os.close(fd)

    async def changes(self, key: str) -> list[tuple[str, int]]:
        """Return (path, kind) as ``docker diff``: 0 modified, 1 added, 2 deleted; parents first."""
        below = await self.layers.below(self.parent(key))
        fd = os.open(self._home / key / "diff", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            found = await self.layers.workers.run(
                "changes", {"overlay": self.layers.driver.overlay, "lower": True}, fds=[fd], root=self.layers.driver.view(below)
            )
        finally:
            os.close(fd)
        return [(path, kind) for path, kind in found]

    async def commit(self, key: str, ingest: LayerIngest) -> Layer:
        """Make what the snapshot changed into one layer on its parent, within an ingest of `Layers.ingest`."""
        parent = self.parent(key)
        lower = None if self.layers.driver.overlay else (await self.layers.below(parent))[0]
        return await ingest.add_diff(parent, self._home / key, lower)

    def parent(self, key: str) -> str | None:
        """Return the chain ID that the snapshot stands on. Raises NotFoundError."""
        try:
            return self._parents[key]
        except KeyError:
            raise NotFoundError(f"snapshot {key} does not exist") from None

    def parents(self) -> list[str]:
        """Return the chain IDs that snapshots stand on: roots for `Layers.collect`."""
        return [parent for parent in self._parents.values() if parent is not None]

    def graph_data(self, key: str) -> Mapping[str, str]:
        """Return ``GraphDriver.Data`` of inspect (LowerDir, UpperDir, WorkDir, MergedDir; empty on vfs)."""
        if key not in self._parents:
            return {}
        return self.layers.driver.graph_data(self._home / key, self.layers.below_now(self._parents[key]))

    def image_graph_data(self, chain: str | None) -> Mapping[str, str]:
        """Return the same for an image, by its top layer."""
        stack = self.layers.stack(chain)
        return self.layers.driver.graph_data(stack[0], stack[1:]) if stack else {}

    def keys(self) -> Sequence[str]:
        """Return the writable snapshots that exist, for the reconciler."""
        return list(self._parents)

    async def _make(self, key: str, parent: str | None, size: int) -> None:
        below = await self.layers.below(parent)
        aside = self.layers.aside()
        try:
            await self.layers.driver.seed(aside, below)
            if size:
                self.layers.driver.limit(key, aside, size)
            (aside / (_MARK + (hex_of(parent) if parent else _NOTHING))).touch()
            await self.layers.settle(aside)
            failpoints.hit("storage.snapshot.commit")
            aside.rename(self._home / key)
        except BaseException:
            self.layers.trash.put(aside)
            raise
        # Known from here on: who gives up during the sync can remove it.
        self._parents[key] = parent
        await asyncio.to_thread(sync_directory, self._home)
