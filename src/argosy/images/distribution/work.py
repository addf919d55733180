"""Getting one image: its blobs fetched, its layers applied while later ones still come, then recorded, all or nothing."""

import asyncio
import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from argosy.base import failpoints
from argosy.base.clock import Clock
from argosy.base.errors import InvalidParameterError, SystemFailureError
from argosy.base.ids import short
from argosy.images.catalog import Catalog
from argosy.images.distribution import failures
from argosy.images.distribution.claims import Claim, Claims
from argosy.images.distribution.downloads import Downloads
from argosy.images.distribution.progress import INTERVAL, Board, step
from argosy.images.distribution.repository import Repository
from argosy.images.distribution.resolve import Target
from argosy.images.load import checked_config
from argosy.images.record import ImageRecord
from argosy.oci.descriptor import Descriptor
from argosy.oci.image import ImageConfig
from argosy.oci.reference import Reference
from argosy.storage.content import Content
from argosy.storage.ingest import LayerIngest, Part
from argosy.storage.layer import chain_ids
from argosy.storage.layers import Layers

_CONFIG_LIMIT = 16 << 20


@dataclass(frozen=True, slots=True)
class _Step:
    """One layer of the image."""

    descriptor: Descriptor
    diff_id: str
    chain: str
    parent: str | None

    @property
    def name(self) -> str:
        return short(self.descriptor.digest)


class Fetcher:
    """What all works share. One for the daemon."""

    def __init__(self, *, catalog: Catalog, content: Content, layers: Layers, downloads: Downloads, clock: Clock) -> None:
        self.catalog = catalog
        self.content = content
        self.layers = layers
        self.downloads = downloads
        self.clock = clock
        self.claims = Claims()

    async def fetch(self, repository: Repository, target: Target, names: dict[str, Reference], board: Board) -> str:
        """Return the id of the image, which has all ``names`` then; these may grow until the moment it is recorded.

        Raises what `Downloads.fetch` raises, InvalidParameterError on layers that are not what the configuration says.
        """
        return await _Work(self, repository, target, board).run(names)


class _Work:
    def __init__(self, shared: Fetcher, repository: Repository, target: Target, board: Board) -> None:
        self._shared = shared
        self._repository = repository
        self._target = target
        self._board = board
        self._leases = ExitStack()

    async def run(self, names: dict[str, Reference]) -> str:
        shared, manifest = self._shared, self._target.manifest
        with self._leases:
            indexes = (index.digest for index in self._target.indexes)
            digests = (manifest.config.digest, self._target.fetched.digest, *(layer.digest for layer in manifest.layers), *indexes)
            self._leases.enter_context(shared.content.leases.hold(*digests))
            data = await self._configuration()
            config = checked_config(data, len(manifest.layers))
            steps = _steps(manifest.layers, config)
            missing = self._missing(steps)
            # Held until the layers are in place: who waits for them looks for them there.
            with shared.claims.claimed(one.chain for one in missing if shared.layers.find(one.chain) is None) as claim:
                async with shared.layers.ingest() as ingest:
                    await self._layers(missing, claim, ingest)
                    failpoints.hit("distribution.fetched")
            self._leases.enter_context(shared.layers.leases.hold(*(one.chain for one in steps)))
            return await self._record(data, names)

    async def _configuration(self) -> bytes:
        """Return the configuration's bytes, verified; they are kept when the layers are there."""
        descriptor = self._target.manifest.config
        content = self._shared.content
        if content.has(descriptor.digest):
            return await asyncio.to_thread(content.read, descriptor.digest)
        return await self._repository.small_blob(descriptor, _CONFIG_LIMIT)

    def _missing(self, steps: Sequence[_Step]) -> list[_Step]:
        missing = [one for one in steps if not self._is_here(one)]
        for one in steps:
            self._board.post(step(one.name, "Pulling fs layer" if one in missing else "Already exists"))
        return missing

    async def _layers(self, missing: Sequence[_Step], claim: Claim, ingest: LayerIngest) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                coming = {
                    digest: group.create_task(self._shared.downloads.fetch(self._repository, layer, self._board.post))
                    for digest, layer in {one.descriptor.digest: one.descriptor for one in missing}.items()
                }
                for one in missing:
                    await coming[one.descriptor.digest]
                    await claim.wait_for_others(one.chain)
                    await self._apply(one, ingest)
        except BaseExceptionGroup as error:
            raise failures.first(error) from error

    def _is_here(self, one: _Step) -> bool:
        """Return whether neither the layer nor its blob is needed from the registry."""
        layer = self._shared.layers.find(one.chain)
        if layer is None:
            return False
        self._leases.enter_context(self._shared.layers.leases.hold(one.chain))
        return self._shared.content.has(one.descriptor.digest) or (one.descriptor.digest == one.diff_id and layer.recipe)

    async def _apply(self, one: _Step, ingest: LayerIngest) -> None:
        content, digest = self._shared.content, one.descriptor.digest
        fd = content.open_blob(digest)
        try:
            part = Part(fd, 0, content.size(digest))
            async with _Extracting(self._board, one.name, part.size) as extracting:
                layer = await ingest.add(one.parent, part, expected=one.diff_id, watch=extracting.reached)
        except InvalidParameterError as error:
            raise SystemFailureError(f"failed to register layer: {error}") from error
        finally:
            os.close(fd)
        if layer.recipe and digest == one.diff_id:
            # Its tar can be made again from the tree.
            content.forget(digest)
        self._board.post(step(one.name, "Pull complete"))

    async def _record(self, data: bytes, names: dict[str, Reference]) -> str:
        shared, target = self._shared, self._target
        image_id = target.manifest.config.digest
        await shared.content.put(data, image_id)
        for fetched in (target.fetched, *target.indexes):
            await shared.content.put(fetched.data, fetched.digest)
        failpoints.hit("distribution.commit")
        known = shared.catalog.get(image_id)
        tagged = known.record.last_tagged if known is not None else 0
        now = shared.clock.now_ns()
        record = ImageRecord(manifest=target.fetched.digest, arrived=now, last_tagged=tagged, index=target.index)
        await shared.catalog.add(image_id, record, names.values(), settle=True)
        return image_id


class _Extracting:
    """Shows how far the thread is that decompresses a layer."""

    def __init__(self, board: Board, name: str, total: int) -> None:
        self._board = board
        self._name = name
        self._total = total
        self._at = 0
        self._ticker: asyncio.TimerHandle | None = None

    def reached(self, count: int) -> None:
        """Called in the thread."""
        self._at = count

    async def __aenter__(self) -> "_Extracting":
        self._tick()
        return self

    async def __aexit__(self, kind: object, *_rest: object) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
        if kind is None:
            self._board.amount(self._name, "Extracting", self._total, self._total)

    def _tick(self) -> None:
        if self._at < self._total:
            self._board.amount(self._name, "Extracting", self._at, self._total)
        self._ticker = asyncio.get_running_loop().call_later(INTERVAL, self._tick)


def _steps(layers: Iterable[Descriptor], config: ImageConfig) -> list[_Step]:
    chains = chain_ids(list(config.diff_ids))
    parents = [None, *chains]
    return [_Step(*parts) for parts in zip(layers, config.diff_ids, chains, parents)]
