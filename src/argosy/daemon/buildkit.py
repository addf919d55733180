"""BuildKit's protocol, read into memory when the first client speaks it: gRPC and its messages are 10 MiB."""

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from argosy.base.clock import Clock
from argosy.build.builder import Builder
from argosy.engine.copy.archive import from_worker
from argosy.images.store import ImageStore
from argosy.storage.layers import Layers
from argosy.storage.ports import Workers

if TYPE_CHECKING:
    from argosy.buildkit.control import Control


class BuildResults:
    """`argosy.buildkit.job.Results`."""

    def __init__(self, *, images: ImageStore, layers: Layers, workers: Workers, scratch: Path) -> None:
        self._images = images
        self._layers = layers
        self._workers = workers
        self.scratch = scratch

    async def files(self, image_id: str) -> AsyncIterator[bytes]:
        image = self._images.find(image_id)
        root = self._layers.drafts.view(image.chain)
        if root is None or image.chain is None:
            yield bytes(1024)
            return
        with self._layers.leases.hold(image.chain):
            async for piece in from_worker(self._workers, "export", {}, fds=(), root=root):
                yield piece

    async def archive(self, names: Sequence[str]) -> AsyncIterator[bytes]:
        return await self._images.save(names)


class BuildKit:
    """`argosy.api.ports.BuildKit`."""

    def __init__(
        self, *, builder: Builder, results: BuildResults, worker_id: str, platforms: Callable[[], Sequence[str]], clock: Clock
    ) -> None:
        self._builder = builder
        self._results = results
        self._worker_id = worker_id
        self._platforms = platforms
        self._clock = clock
        self._control: Control | None = None

    async def load(self) -> None:
        await asyncio.to_thread(importlib.import_module, "argosy.buildkit.control")

    def serve(self, transport: asyncio.Transport, early: bytes) -> None:
        self._loaded().serve(transport, early)

    def open_session(self, id: str, methods: Sequence[str], shared_key: str, transport: asyncio.Transport, early: bytes) -> None:
        self._loaded().open_session(id, methods, shared_key, transport, early)

    def _loaded(self) -> "Control":
        from argosy.buildkit.control import Control

        if self._control is None:
            self._control = Control(
                builder=self._builder, results=self._results, worker_id=self._worker_id, platforms=self._platforms, clock=self._clock
            )
        return self._control
