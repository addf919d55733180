"""Layers of builds that go on: in their place and usable at once, but promised to nobody yet.

A draft lies where a layer lies, with ``draft.json`` in place of ``record.json``; `Layers.open` takes a tree without record for
half made. `settle` syncs the file system once for all drafts and then gives them their records. Nothing on the way is synced:
a power failure takes drafts, and nobody had been told of them.
"""

import asyncio
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from argosy.base import failpoints
from argosy.oci import digest as digests
from argosy.storage.layer import Layer, chain_id
from argosy.storage.limits import Limits
from argosy.storage.model import Directory, RootMount
from argosy.storage.sync import sync_directory, sync_filesystem

if TYPE_CHECKING:
    from argosy.storage.layers import Layers

EMPTY = digests.of(bytes(1024))
"""The digest of a tar without members."""
_DRAFT = "draft.json"


@dataclass(frozen=True, slots=True)
class Scratch:
    """A writable tree on a layer, swept at boot like everything in ``aside``."""

    tree: Path
    parent: str | None
    base: str | None
    """The layer whose mount points' tree is used: that of the image which was built on. One for each step would cost a worker."""
    alone: bool = False
    """What is put into it is made without what lies below (``COPY --link``): the layer is the same on any other."""
    points: Path | None = None
    """A tree between, with more places to mount over that are no part of the result."""


class Drafts:
    """Of one `Layers`, which makes it."""

    def __init__(self, layers: "Layers") -> None:
        self._layers = layers
        self._unsettled: dict[str, Layer] = {}
        self._settling = asyncio.Lock()

    @property
    def limits(self) -> Limits:
        """What archives may become."""
        return self._layers.limits

    async def begin(
        self,
        parent: str | None,
        *,
        base: str | None = None,
        directories: Sequence[str] = (),
        files: Sequence[str] = (),
        alone: bool = False,
    ) -> Scratch:
        """Return a new writable tree on ``parent``, which is ``base`` or stands on it; ``directories`` and ``files`` are places
        that will be mounted over; see `Scratch` for ``alone``."""
        layers = self._layers
        tree = layers.aside()
        try:
            await layers.driver.seed(tree, [] if layers.driver.overlay or alone else await layers.below(parent))
            points = await self._points(parent, base, directories, files) if directories or files else None
        except BaseException:
            layers.trash.put(tree)
            raise
        return Scratch(tree, parent, base, alone, points)

    async def _below(self, parent: str | None, base: str | None) -> list[Path]:
        """Return the trees under a program: the mount points' tree lies on the base, so that later layers go before it."""
        if not self._layers.driver.overlay:
            return await self._layers.below(parent)
        stack = self._layers.stack(parent)
        under = await self._layers.below(base)
        return [*stack[: len(stack) - len(under) + 1], *under]

    async def _points(self, parent: str | None, base: str | None, directories: Sequence[str], files: Sequence[str]) -> Path:
        layers = self._layers
        below = await self._below(parent, base)
        tree = layers.aside()
        try:
            await layers.driver.seed(tree, below)
            params = {"directories": list(directories), "files": list(files)}
            await layers.workers.run("mountpoints", params, root=layers.driver.writable(tree, below))
        except BaseException:
            layers.trash.put(tree)
            raise
        return tree

    async def running(self, scratch: Scratch) -> RootMount:
        """Return how a program gets it: with the mount points' tree below."""
        below = await self._below(scratch.parent, scratch.base)
        return self._layers.driver.writable(scratch.tree, [scratch.points, *below] if scratch.points is not None else below)

    def plain(self, scratch: Scratch) -> RootMount:
        """Return how files are put into it."""
        stack = self._layers.stack(scratch.parent)
        if scratch.alone or not stack or not self._layers.driver.overlay:
            return Directory(str(scratch.tree / "diff"))
        return self._layers.driver.writable(scratch.tree, stack)

    def view(self, chain: str | None) -> RootMount | None:
        """Return how the files of a layer and those below are read; None when there are none."""
        stack = self._layers.stack(chain)
        return self._layers.driver.view(stack) if stack else None

    def drop(self, scratch: Scratch) -> None:
        """Take it away. Absent is fine."""
        self._layers.trash.put(scratch.tree)
        if scratch.points is not None:
            self._layers.trash.put(scratch.points)

    async def seal(self, scratch: Scratch, *, latest: int = -1) -> Layer | None:
        """Make a layer of what was written, None if nothing was; the tree is used up. See `archive.seal` for ``latest``.

        The layer is leased until it is settled; who goes on with it takes a lease of its own before.
        """
        try:
            if not self._layers.driver.overlay:
                return await self._copied(scratch, latest)
            return await self._in_place(scratch, latest)
        finally:
            self.drop(scratch)

    async def _in_place(self, scratch: Scratch, latest: int) -> Layer | None:
        recipe = os.open(scratch.tree / "recipe", os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            root = Directory(str(scratch.tree / "diff"))
            result: dict[str, Any] = await self._layers.workers.run("seal_layer", {"latest": latest}, fds=[recipe], root=root)
        finally:
            os.close(recipe)
        if result["digest"] == EMPTY:
            return None
        chain = chain_id(scratch.parent, result["digest"])
        if (known := self._layers.find(chain)) is not None:
            return known
        layer = Layer(chain, result["digest"], scratch.parent, result["size"], result["tar_size"], result["recipe"])
        self._adopt(layer, scratch)
        return layer

    async def rebase(self, chain: str, parent: str | None) -> Layer | None:
        """Return the layer of ``chain``, which was made ``alone``, on another parent: a copy that need not be made and hashed again.

        None where the driver's trees hold what lies below too. Leased as from `seal`.
        """
        layers = self._layers
        old = layers.get(chain)
        if (known := layers.find(chain_id(parent, old.diff_id))) is not None:
            return known
        if not layers.driver.overlay:
            return None
        with layers.leases.hold(chain):
            scratch = await self.begin(parent, alone=True)
            try:
                await self._clone(layers.tree(chain), scratch.tree)
                layer = Layer(chain_id(parent, old.diff_id), old.diff_id, parent, old.size, old.tar_size, old.recipe)
                self._adopt(layer, scratch)
                return layer
            finally:
                self.drop(scratch)

    async def _clone(self, source: Path, target: Path) -> None:
        if (source / "recipe").exists():
            await asyncio.to_thread(shutil.copyfile, source / "recipe", target / "recipe")
        fds = [os.open(tree / "diff", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) for tree in (source, target)]
        try:
            await self._layers.workers.run("copy_tree", {}, fds=fds)
        finally:
            for fd in fds:
                os.close(fd)

    def _adopt(self, layer: Layer, scratch: Scratch) -> None:
        (scratch.tree / _DRAFT).write_bytes(msgspec.json.encode(layer.record()))
        failpoints.hit("storage.draft.place")
        self._layers.leases.acquire(layer.chain_id)
        self._unsettled[layer.chain_id] = layer
        self._layers.adopt(layer, scratch.tree)

    async def _copied(self, scratch: Scratch, latest: int) -> Layer | None:
        """On plain trees the difference has to be looked for, and is settled at once."""
        async with self._layers.ingest() as ingest:
            below = await self._empty() if scratch.alone else (await self._layers.below(scratch.parent))[0]
            try:
                layer = await ingest.add_diff(scratch.parent, scratch.tree, below, latest=latest)
            finally:
                if scratch.alone:
                    self._layers.trash.put(below)
            if layer.diff_id == EMPTY:
                return None
            await ingest.commit()
            return layer

    async def _empty(self) -> Path:
        tree = self._layers.aside()
        await self._layers.driver.seed(tree, [])
        return tree

    async def settle(self) -> None:
        """Get all drafts onto the disk and give them their records; at once when there are none."""
        async with self._settling:
            if not (ready := dict(self._unsettled)):
                return
            await asyncio.to_thread(sync_filesystem, self._layers.home)
            failpoints.hit("storage.draft.synced")
            await asyncio.to_thread(self._record, list(ready))
            for chain in ready:
                del self._unsettled[chain]
                self._layers.leases.release(chain)

    def _record(self, chains: Sequence[str]) -> None:
        """Parents first, as they were made. On a journalling file system the first of the syncs does the work of all."""
        trees = [self._layers.tree(chain) for chain in chains]
        for tree in trees:
            (tree / _DRAFT).rename(tree / "record.json")
            failpoints.hit("storage.draft.record")
        for path in (*trees, self._layers.home / "layers"):
            sync_directory(path)
