"""New layers: applied aside, hashed on the way, one syncfs for all of them, then put in place lowest first."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from argosy.base import failpoints
from argosy.base.errors import InvalidParameterError
from argosy.storage import compression, hashing, pipes
from argosy.storage.hashing import Hashed
from argosy.storage.layer import Layer, chain_id
from argosy.storage.model import Directory
from argosy.storage.sync import sync_directory, sync_file, sync_filesystem

if TYPE_CHECKING:
    from argosy.storage.layers import Layers

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """A layer's archive as it lies in a file, compressed or not."""

    fd: int
    offset: int
    size: int

    def compression(self) -> str:
        return compression.detect(os.pread(self.fd, min(8, self.size), self.offset))


class LayerIngest:
    """Made by `Layers.ingest`. Trees made in one ingest may stand on each other before any is in place."""

    def __init__(self, layers: "Layers") -> None:
        self._layers = layers
        self._made: dict[str, tuple[Layer, Path]] = {}
        self._leased: list[str] = []
        self._synced = True

    async def add(
        self,
        parent: str | None,
        part: Part,
        *,
        expected: str = "",
        recipe_always: bool = False,
        watch: Callable[[int], None] | None = None,
    ) -> Layer:
        """Apply an archive on ``parent`` and return the layer. A layer that is known already is not applied again.

        A compressed archive gets a recipe only if asked for: who keeps the blob needs none. ``watch`` is called, in a thread, with
        the bytes of a compressed archive that have been taken so far.

        Raises InvalidParameterError when the archive is broken or is not what ``expected`` (a diff ID) says.
        """
        if expected and (known := self._known(chain_id(parent, expected))) is not None:
            return known
        kind = part.compression()
        if not kind:
            self._layers.limits.check(part.size, part.size)
        aside = await self._seed(parent)
        recipe = _create(aside / "recipe") if recipe_always or not kind else -1
        try:
            if kind:
                result, hashed = await self._compressed(part, kind, aside, recipe, watch)
            else:
                result, hashed = await self._plain(part, aside, recipe)
        except BaseException:
            self._layers.trash.put(aside)
            raise
        finally:
            if recipe >= 0:
                os.close(recipe)
        if expected and hashed.digest != expected:
            self._layers.trash.put(aside)
            raise InvalidParameterError(f'invalid diffID for layer: expected "{expected}", got "{hashed.digest}"')
        return await self._keep(parent, hashed, result, aside)

    async def add_diff(self, parent: str | None, upper: Path, lower: Path | None, *, latest: int = -1) -> Layer:
        """Make what a writable tree changed into a layer on ``parent``: an upper directory, or a plain tree against ``lower``.

        Of a plain tree no time stays above ``latest`` (seconds since the epoch; -1: as they are).
        """
        aside = await self._seed(parent)
        recipe = _create(aside / "recipe")
        try:
            if lower is None:
                result, hashed = await self._commit(upper, aside, recipe)
            else:
                result, hashed = await self._diff(upper, lower, aside, recipe, latest)
        except BaseException:
            self._layers.trash.put(aside)
            raise
        finally:
            os.close(recipe)
        return await self._keep(parent, hashed, result, aside)

    async def sync(self) -> None:
        """Get what was made onto the disk. Called by `commit`; earlier by who has memory to give back first."""
        if not self._synced:
            self._synced = True
            await asyncio.to_thread(sync_filesystem, self._layers.home)

    async def commit(self) -> None:
        """Put everything in place, parents first."""
        # What it stands on, or found to be there already, may be a build's draft.
        await self._layers.drafts.settle()
        await self.sync()
        failpoints.hit("storage.layer.synced")
        for layer, aside in self._made.values():
            self._layers.adopt(layer, aside)
        if self._made:
            await asyncio.to_thread(sync_directory, self._layers.home / "layers")
        self._made.clear()

    def discard(self) -> None:
        """Drop what was not committed, and the leases. Safe after `commit`."""
        for _, aside in self._made.values():
            self._layers.trash.put(aside)
        self._made.clear()
        for chain in self._leased:
            self._layers.leases.release(chain)
        self._leased.clear()

    def _known(self, chain: str) -> Layer | None:
        if chain in self._made:
            return self._made[chain][0]
        layer = self._layers.find(chain)
        if layer is not None:
            self._lease(chain)
        return layer

    def _lease(self, chain: str) -> None:
        self._layers.leases.acquire(chain)
        self._leased.append(chain)

    def _below(self, parent: str | None) -> list[Path]:
        trees: list[Path] = []
        while parent is not None and parent in self._made:
            layer, aside = self._made[parent]
            trees.append(aside)
            parent = layer.parent
        return [*trees, *self._layers.stack(parent)]

    async def _seed(self, parent: str | None) -> Path:
        if parent is not None and parent not in self._made:
            self._lease(parent)
        aside = self._layers.aside()
        try:
            await self._layers.driver.seed(aside, self._below(parent))
        except BaseException:
            self._layers.trash.put(aside)
            raise
        self._synced = False
        return aside

    async def _keep(self, parent: str | None, hashed: Hashed, result: dict[str, Any], aside: Path) -> Layer:
        chain = chain_id(parent, hashed.digest)
        if (known := self._known(chain)) is not None:
            self._layers.trash.put(aside)
            return known
        if not result["recipe"]:
            (aside / "recipe").unlink(missing_ok=True)
        layer = Layer(chain, hashed.digest, parent, result["size"], hashed.size, bool(result["recipe"]))
        self._layers.write_record(layer, aside)
        if self._synced:
            await asyncio.to_thread(_sync_record, aside)
        self._made[chain] = (layer, aside)
        self._lease(chain)
        return layer

    def _apply(self, aside: Path, params: dict[str, Any], fds: list[int]) -> Awaitable[dict[str, Any]]:
        root = Directory(str(aside / "diff"))
        return self._layers.workers.run("apply_layer", {"overlay": self._layers.driver.overlay, **params}, fds=fds, root=root)

    async def _plain(self, part: Part, aside: Path, recipe: int) -> tuple[dict[str, Any], Hashed]:
        """The worker hashes the file in a thread of its own."""
        result = await self._apply(aside, {"offset": part.offset, "size": part.size}, [part.fd, recipe])
        return result, Hashed(result["digest"], part.size)

    async def _compressed(
        self, part: Part, kind: str, aside: Path, recipe: int, watch: Callable[[int], None] | None
    ) -> tuple[dict[str, Any], Hashed]:
        read, write = pipes.make_pipe()
        feeding = _in_thread(hashing.feed_region, part.fd, part.offset, part.size, kind, write, self._layers.limits, watch)
        return await self._fed(feeding, aside, read, [read, recipe] if recipe >= 0 else [read])

    async def _commit(self, upper: Path, aside: Path, recipe: int) -> tuple[dict[str, Any], Hashed]:
        """An upper directory: one worker copies it, hashes what would be its tar, and gets the copy onto the disk."""
        source = _open_directory(upper / "diff")
        try:
            result = await self._layers.workers.run("commit_layer", {}, fds=[source, recipe], root=Directory(str(aside / "diff")))
        finally:
            os.close(source)
        self._synced = True
        return result, Hashed(result["digest"], result["tar_size"])

    async def _diff(self, upper: Path, lower: Path, aside: Path, recipe: int, latest: int) -> tuple[dict[str, Any], Hashed]:
        """One worker writes the layer's tar, a thread hashes it on the way to another, which applies it."""
        trees = [_open_directory(tree / "diff") for tree in (upper, lower)]
        changed, changed_in = pipes.make_pipe()
        packing = asyncio.ensure_future(self._layers.workers.run("diff_layer", {"latest": latest}, fds=[changed_in, *trees]))
        # By callback: a task that is cancelled before its first step runs no finally of its own.
        packing.add_done_callback(lambda _: close_all(changed_in, *trees))
        read, write = pipes.make_pipe()
        feeding = _in_thread(hashing.feed_pipe, changed, write)
        try:
            result = await self._fed(feeding, aside, read, [read, recipe], sync=True)
            await packing
        except BaseException:
            packing.cancel()
            await _settled(packing)
            raise
        return result

    async def _fed(
        self, feeding: "asyncio.Future[Hashed]", aside: Path, read: int, fds: list[int], *, sync: bool = False
    ) -> tuple[dict[str, Any], Hashed]:
        """Run the worker on a pipe that a thread fills. If both fail, the thread knows why.

        With ``sync`` the tree goes to the disk while the hash, which is slower than the worker, catches up.
        """
        try:
            result = await self._apply(aside, {}, fds)
        except BaseException as error:
            os.close(read)
            reason = await _settled(feeding)
            if isinstance(reason, Exception) and not isinstance(reason, BrokenPipeError) and isinstance(error, Exception):
                raise reason from error
            raise
        os.close(read)
        if sync:
            await self.sync()
        return result, await feeding


def _create(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def _sync_record(aside: Path) -> None:
    sync_file(aside / "record.json")
    sync_directory(aside)


def _open_directory(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def close_all(*fds: int) -> None:
    for fd in fds:
        os.close(fd)


def _in_thread(function: Any, *args: Any) -> "asyncio.Future[Any]":
    return asyncio.get_running_loop().run_in_executor(None, function, *args)


async def _settled(future: "asyncio.Future[T]") -> BaseException | None:
    """Wait until the work has really ended, whatever happens to us, and return how it failed, if it did."""
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError:
            # Cancelled twice: its descriptors are still in use, so waiting goes on; it is about to end.
            continue
    return future.exception() if not future.cancelled() else None
