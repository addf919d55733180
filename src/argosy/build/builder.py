"""The builder's door: a request and a context in, the classic builder's messages out, and an image."""

from __future__ import annotations

import asyncio
import importlib
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from argosy.base.clock import Clock
from argosy.base.tasks import Supervisor
from argosy.build.cache.downloads import Downloads
from argosy.build.cache.keeper import CacheKeeper, Place
from argosy.build.cache.mounts import CacheMounts
from argosy.build.cache.record import LOCAL, MOUNT, SOURCE
from argosy.build.cache.synced import SyncedTrees
from argosy.build.cache.table import CacheTable
from argosy.build.context import Context, Contexts, named
from argosy.build.context.git import Clone
from argosy.build.context.named import NamedContexts
from argosy.build.fetch import Fetches
from argosy.build.ports import Images, Runner
from argosy.build.request import BuildRequest
from argosy.build.services import Services
from argosy.build.solve.layers import LayerWork
from argosy.build.transcript import Message
from argosy.storage.layers import Layers
from argosy.storage.ports import Workers

if TYPE_CHECKING:
    from argosy.build.building import Building
    from argosy.build.dockerfile.args import Platform

_AT_ONCE = 4
"""Steps done at one time, of all builds."""


class Builder:
    """``home``: a directory on the layers' file system; ``memory``: one on a file system in memory; ``boot``: id of the kernel's run."""

    def __init__(
        self,
        *,
        home: Path,
        memory: Path,
        layers: Layers,
        images: Images,
        table: CacheTable,
        runner: Runner,
        git: Clone,
        workers: Workers,
        refusal: Callable[[Platform], str],
        clock: Clock,
        supervisor: Supervisor,
        boot: str,
    ) -> None:
        self._tmp = home / "tmp"
        self._memory = memory
        self._layers = layers
        self._synced = SyncedTrees(home / "synced", table=table, trash=layers.trash, clock=clock, boot=boot)
        self.contexts = Contexts(
            directory=home / "contexts", workers=workers, trash=layers.trash, git=git, synced=self._synced, limits=layers.limits
        )
        self._caches = CacheMounts(home / "mounts", table=table, workers=workers, trash=layers.trash, clock=clock)
        self._downloads = Downloads(home / "downloads", table=table, trash=layers.trash, clock=clock)
        places: dict[str, Place] = {MOUNT: self._caches, SOURCE: self._downloads, LOCAL: self._synced}
        self.cache = CacheKeeper(table=table, mounts=self._caches, places=places, images=images, clock=clock, home=home)
        slots = asyncio.Semaphore(_AT_ONCE)

        async def slot() -> None:
            await slots.acquire()

        work = LayerWork(layers=layers, table=table, clock=clock, supervisor=supervisor, slot=slot, free=slots.release)
        self._services = Services(
            layers=layers,
            images=images,
            table=table,
            runner=runner,
            fetcher=Fetches(git, self._downloads),
            workers=workers,
            caches=self._caches,
            memory=memory,
            refusal=refusal,
            clock=clock,
            supervisor=supervisor,
            work=work,
        )
        self._running: dict[str, Building] = {}

    def open(self) -> None:
        """Sweep what a crash left."""
        self._tmp.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self._tmp.iterdir():
            self._layers.trash.put(left)
        self.contexts.open()
        self._caches.open()
        self._downloads.open()
        self._synced.open()
        if self._memory.is_dir():
            for left in self._memory.iterdir():
                left.unlink()

    def build(self, request: BuildRequest, body: AsyncIterator[bytes]) -> AsyncIterator[Message]:
        """Build in the context that the request names, or that the body is; as `build_in`."""
        return self.build_in(self._context(request, body), request)

    async def build_in(self, source: AbstractAsyncContextManager[Context], request: BuildRequest) -> AsyncIterator[Message]:
        """Yield the messages of the build. Closed early, the build is cancelled.

        Raises InvalidParameterError before the first message for what is wrong with the request, the context or the Dockerfile;
        after it, what the step that failed raises (`instructions.run.StepFailed` for a program).
        """
        async with AsyncExitStack() as undo:
            scratch = Path(tempfile.mkdtemp(dir=self._tmp))
            undo.callback(self._layers.trash.put, scratch)
            context = await undo.enter_async_context(source)
            # Read at the first build: 2 MiB that a daemon which builds nothing does without.
            await asyncio.to_thread(importlib.import_module, "argosy.build.building")
            from argosy.build.building import Building
            from argosy.build.dockerfile import parse

            file = parse(context.dockerfile, context.name)

            async def fetch(url: str) -> Path:
                return await undo.enter_async_context(self.contexts.files(url))

            contexts = NamedContexts(request.contexts, sent=context.sent, fetch=fetch)
            building = Building(self._services, request, file, context=context.root, contexts=contexts, scratch=scratch, undo=undo)
            task = building.begin()
            self._running[request.build_id] = building
            try:
                async for message in building.messages():
                    yield message
            finally:
                self._running.pop(request.build_id, None)
                building.cancel()
                await asyncio.wait([task])

    def _context(self, request: BuildRequest, body: AsyncIterator[bytes]) -> AbstractAsyncContextManager[Context]:
        apart = named.apart(request.contexts)
        if request.remote and request.remote != "client-session":
            return self.contexts.from_remote(request.remote, dockerfile=request.dockerfile, body=body, apart=apart)
        return self.contexts.from_stream(body, dockerfile=request.dockerfile, apart=apart)

    async def cancel(self, build_id: str) -> None:
        """End a build; one that is not there has ended."""
        building = self._running.get(build_id)
        if building is not None:
            building.cancel()

    async def prune(
        self, *, filters: Mapping[str, Sequence[str]], all: bool, reserved: int, maximum: int, free: int
    ) -> tuple[list[str], int]:
        """Return (ids of the cache entries removed, bytes freed). Raises InvalidParameterError on an unknown filter."""
        return await self.cache.prune(filters, all=all, reserved=reserved, maximum=maximum, free=free)
