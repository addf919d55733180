"""Blobs on their way in: shared by digest, a few at a time, continued after a broken connection or a daemon's death."""

import asyncio

from argosy.base import failpoints
from argosy.base.clock import Clock
from argosy.base.errors import InvalidParameterError, SystemFailureError
from argosy.base.ids import short
from argosy.base.tasks import Supervisor
from argosy.images.distribution.attempts import Attempts
from argosy.images.distribution.failures import RegistryError, TransportError
from argosy.images.distribution.http import Answer
from argosy.images.distribution.progress import Board, Watch, step
from argosy.images.distribution.repository import Repository
from argosy.images.distribution.settings import RegistrySettings
from argosy.images.distribution.shared import Shared
from argosy.oci.descriptor import Descriptor
from argosy.storage.content import Content, Ingest


class Downloads:
    """One for the daemon."""

    def __init__(self, *, content: Content, supervisor: Supervisor, clock: Clock, settings: RegistrySettings) -> None:
        self._content = content
        self._settings = settings
        self._slots = asyncio.Semaphore(settings.downloads)
        self._shared: Shared[None] = Shared(supervisor=supervisor, clock=clock)

    async def fetch(self, repository: Repository, layer: Descriptor, watch: Watch) -> None:
        """Return when the blob is in the content store, which the caller's lease keeps there.

        Raises RegistryError, TransportError, SystemFailureError on a wrong digest, and OSError of a full disk; only a
        transfer that was broken off leaves something for the next one.
        """
        if not self._content.has(layer.digest):
            await self._shared.join(
                layer.digest, watch, lambda board: _Download(repository, layer, board, self._content).run(self._slots, self._settings)
            )


class _Download:
    def __init__(self, repository: Repository, layer: Descriptor, board: Board, content: Content) -> None:
        self._repository = repository
        self._layer = layer
        self._board = board
        self._content = content
        self._name = short(layer.digest)

    async def run(self, slots: asyncio.Semaphore, settings: RegistrySettings) -> None:
        if slots.locked():
            self._board.post(step(self._name, "Waiting"))
        async with slots:
            with self._content.leases.hold(self._layer.digest):
                attempts = Attempts(settings.attempts, settings.retry_delay)
                await attempts.repeat(self._name, self._board.post, lambda: self._attempt(attempts))

    async def _attempt(self, attempts: Attempts) -> None:
        layer = self._layer
        ingest = self._content.writer(layer.digest, layer.size)
        try:
            if await ingest.start() < layer.size:
                await self._receive(ingest, attempts)
            self._board.post(step(self._name, "Verifying Checksum"))
            if ingest.offset < layer.size:
                raise TransportError(f"blob {layer.digest} ended after {ingest.offset} of {layer.size} bytes: unexpected EOF")
            await ingest.commit()
        except InvalidParameterError as error:
            ingest.abandon()
            raise SystemFailureError(f"filesystem layer verification failed for digest {layer.digest}") from error
        except OSError:
            ingest.abandon()
            raise
        finally:
            ingest.close()
        self._board.post(step(self._name, "Download complete"))

    async def _receive(self, ingest: Ingest, attempts: Attempts) -> None:
        """Take the blob from the registry, or from where else its descriptor says it is."""
        try:
            async with self._repository.blob(self._layer.digest, ingest.offset) as (answer, begin):
                await self._write(ingest, answer, begin, attempts)
            return
        except RegistryError as error:
            if error.status != 404 or not self._layer.urls:
                raise
            refused = error
        for url in self._layer.urls:
            try:
                async with self._repository.foreign(url, ingest.offset) as (answer, begin):
                    await self._write(ingest, answer, begin, attempts)
                return
            except RegistryError as error:
                refused = error
        raise refused

    async def _write(self, ingest: Ingest, answer: Answer, begin: int, attempts: Attempts) -> None:
        if begin != ingest.offset:
            await ingest.restart()
            if begin:
                raise TransportError(f"blob {self._layer.digest} comes from byte {begin}, which was not asked for")
        async for piece in answer.pieces():
            await ingest.write(piece)
            attempts.reached(ingest.offset)
            failpoints.hit("distribution.blob")
            self._board.amount(self._name, "Downloading", ingest.offset, self._layer.size)
