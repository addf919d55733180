"""Committed layers by chain ID: read-only trees made aside, synced once, put in place by rename."""

import asyncio
import os
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec

from argosy.base import failpoints
from argosy.base.errors import NotFoundError
from argosy.base.tasks import Supervisor
from argosy.storage import gc, pipes
from argosy.storage.drafts import Drafts
from argosy.storage.drivers.port import Driver
from argosy.storage.ingest import LayerIngest, close_all
from argosy.storage.layer import Layer, hex_of
from argosy.storage.leases import Leases
from argosy.storage.limits import LIMITS, Limits
from argosy.storage.model import Directory
from argosy.storage.placement import spread
from argosy.storage.ports import Workers
from argosy.storage.slack import Slack
from argosy.storage.sync import sync_filesystem
from argosy.storage.trash import Trash

_RECORD = msgspec.json.Decoder(Layer)
_BASE = "base"


class Layers:
    """``home`` holds ``layers/HEX/{diff,record.json,recipe}``, ``layers/HEX.init`` (see `mountpoints`), ``aside``, ``trash``."""

    def __init__(self, home: Path, driver: Driver, *, workers: Workers, supervisor: Supervisor, limits: Limits = LIMITS) -> None:
        self.home = home
        self.limits = limits
        self.driver = driver
        self.leases = Leases()
        self.workers = workers
        self.slack = Slack()
        self._layers: dict[str, Layer] = {}
        self._initialised: set[str] = set()
        self._locks: dict[str, asyncio.Lock] = {}
        for name in ("layers", "aside"):
            (home / name).mkdir(mode=0o710, parents=True, exist_ok=True)
        spread(home / "aside")
        self.trash = Trash(home / "trash", workers=workers, supervisor=supervisor)
        self.drafts = Drafts(self)

    def open(self) -> None:
        """Sweep what a crash left and learn the layers that are there."""
        for left in (self.home / "aside").iterdir():
            self.trash.put(left)
        found: dict[str, Layer] = {}
        for tree in (self.home / "layers").iterdir():
            if tree.name.endswith(".init"):
                continue
            try:
                layer = _RECORD.decode((tree / "record.json").read_bytes())
            except (OSError, msgspec.DecodeError):
                self.trash.put(tree)
                continue
            found[layer.chain_id] = layer
        self._layers = {chain: layer for chain, layer in found.items() if _complete(layer, found)}
        for chain in found.keys() - self._layers.keys():
            self._discard(self.tree(chain))
        for chain in self._layers:
            self.driver.expose(self.tree(chain))
        self._open_init()
        self.trash.empty()

    def _open_init(self) -> None:
        known = {hex_of(chain) for chain in self._layers} | {_BASE}
        for tree in (self.home / "layers").glob("*.init"):
            name = tree.name.removesuffix(".init")
            if name in known:
                self._initialised.add(name)
                self.driver.expose(tree)
            else:
                self._discard(tree)

    def tree(self, chain: str) -> Path:
        return self.home / "layers" / hex_of(chain)

    def get(self, chain: str) -> Layer:
        """Raises NotFoundError."""
        try:
            return self._layers[chain]
        except KeyError:
            raise NotFoundError(f"layer {chain} does not exist") from None

    def find(self, chain: str) -> Layer | None:
        return self._layers.get(chain)

    def all(self) -> Mapping[str, Layer]:
        return self._layers

    def stack(self, chain: str | None) -> list[Path]:
        """Return the trees from ``chain`` down. Raises NotFoundError."""
        trees: list[Path] = []
        while chain is not None:
            layer = self.get(chain)
            trees.append(self.tree(chain))
            chain = layer.parent
        return trees

    def size(self, chain: str | None) -> int:
        """Return the bytes of files of the whole stack, as Docker counts an image's size."""
        total = 0
        while chain is not None and (layer := self._layers.get(chain)) is not None:
            total += layer.size
            chain = layer.parent
        return total

    async def below(self, chain: str | None) -> list[Path]:
        """Return the trees under a container of that image: the mount points' tree, made now if it is the first, and the layers."""
        return [await self._mountpoints(chain), *self.stack(chain)]

    def below_now(self, chain: str | None) -> list[Path]:
        """The same, for a container that already has its snapshot."""
        return [self._init_tree(chain), *self.stack(chain)]

    @asynccontextmanager
    async def ingest(self) -> AsyncIterator[LayerIngest]:
        """Make layers aside; they all appear when the block ends well, and none if it does not."""
        work = LayerIngest(self)
        with self.slack.used():
            try:
                yield work
                await work.commit()
            finally:
                work.discard()

    def adopt(self, layer: Layer, aside: Path) -> None:
        """Put a finished tree in its place (a rename). If the layer came in meanwhile, this copy is dropped."""
        if layer.chain_id in self._layers:
            self.trash.put(aside)
            return
        tree = self.tree(layer.chain_id)
        failpoints.hit("storage.layer.commit")
        aside.rename(tree)
        self._layers[layer.chain_id] = layer
        self.driver.expose(tree)

    def write_record(self, layer: Layer, aside: Path) -> None:
        """Write what `open` will read, before the tree is synced and put in place."""
        (aside / "record.json").write_bytes(msgspec.json.encode(layer.record()))

    async def tar(self, chain: str) -> AsyncIterator[bytes]:
        """Yield the layer's uncompressed tar, byte for byte as it came. Raises NotFoundError if it has no recipe."""
        async with self.tar_pipe(chain) as read:
            async for chunk in pipes.drain(read):
                yield chunk

    @asynccontextmanager
    async def tar_pipe(self, chain: str) -> AsyncIterator[int]:
        """Yield a pipe, for the block to read and close, from which the tar comes; raises at the end what making it failed with."""
        layer = self.get(chain)
        if not layer.recipe:
            raise NotFoundError(f"layer {chain} has no recipe")
        tree = self.tree(chain)
        with self.leases.hold(chain):
            recipe = os.open(tree / "recipe", os.O_RDONLY | os.O_CLOEXEC)
            read, write = pipes.make_pipe()
            job = asyncio.ensure_future(self.workers.run("assemble", {}, fds=[recipe, write], root=Directory(str(tree / "diff"))))
            job.add_done_callback(lambda _: close_all(write, recipe))
            try:
                yield read
                await job
            finally:
                job.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await job

    def collect(self, roots: Iterable[str], keep: Collection[str] = ()) -> list[Layer]:
        """Remove every layer that neither ``roots`` (images, containers) nor a lease needs; return them, tops first."""
        parents = {chain: layer.parent for chain, layer in self._layers.items()}
        gone = []
        for chain in gc.unreachable([*roots, *keep, *self.leases.held()], parents):
            gone.append(self._layers.pop(chain))
            self._locks.pop(chain, None)
            init = self._init_tree(chain)
            if hex_of(chain) in self._initialised:
                self._initialised.discard(hex_of(chain))
                self._discard(init)
            failpoints.hit("storage.layer.remove")
            self._discard(self.tree(chain))
        return gone

    def _discard(self, tree: Path) -> None:
        self.driver.withdraw(tree)
        self.trash.put(tree)

    def _init_tree(self, chain: str | None) -> Path:
        return self.home / "layers" / f"{_BASE if chain is None else hex_of(chain)}.init"

    async def _mountpoints(self, chain: str | None) -> Path:
        tree = self._init_tree(chain)
        name = tree.name.removesuffix(".init")
        if name in self._initialised:
            return tree
        async with self._locks.setdefault(chain or "", asyncio.Lock()):
            if name not in self._initialised:
                await self._make_mountpoints(tree, self.stack(chain))
                self._initialised.add(name)
        return tree

    async def _make_mountpoints(self, tree: Path, below: list[Path]) -> None:
        aside = self.aside()
        try:
            await self.driver.seed(aside, below)
            # An overlay needs something below: an image without layers is set up in the plain directory.
            root = self.driver.writable(aside, below) if below else Directory(str(aside / "diff"))
            await self.workers.run("mountpoints", {}, root=root)
            await self.settle(aside)
            aside.rename(tree)
        except BaseException:
            self.trash.put(aside)
            raise
        self.driver.expose(tree)

    async def settle(self, aside: Path) -> None:
        """Get a container's tree onto the disk before it gets its name, where it is a copy. An overlay's holds only names as yet."""
        if not self.driver.overlay:
            await asyncio.to_thread(sync_filesystem, aside)

    def aside(self) -> Path:
        """Return a new directory for something half-made; what is in there at boot is swept."""
        path = self.home / "aside" / os.urandom(12).hex()
        path.mkdir(mode=0o710)
        return path


def _complete(layer: Layer, found: Mapping[str, Layer]) -> bool:
    at: Layer | None = layer
    while at is not None:
        if at.parent is None:
            return True
        at = found.get(at.parent)
    return False
