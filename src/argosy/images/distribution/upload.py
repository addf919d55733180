"""Getting one blob into a repository: found there, mounted from another, or sent."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from argosy.images.distribution import source
from argosy.images.distribution.attempts import Attempts
from argosy.images.distribution.failures import RegistryError
from argosy.images.distribution.origins import Origins
from argosy.images.distribution.progress import Board, step
from argosy.images.distribution.repository import Repository
from argosy.images.distribution.settings import RegistrySettings
from argosy.images.distribution.source import Packed
from argosy.oci.descriptor import Descriptor
from argosy.storage.content import Content
from argosy.storage.layer import Layer
from argosy.storage.layers import Layers

_MOUNTS = 3
"""Repositories that are asked for a blob before it is sent."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A layer to push."""

    name: str
    """As it is shown."""
    layer: Layer
    form: Descriptor | None
    """The blob that it is, or was when it was compressed the last time; None if that never was."""
    kept: bool
    """The blob ``form`` is in the content store."""
    media_type: str

    @property
    def plain(self) -> bool:
        """It goes out as a tar, which is how it came."""
        return self.form is not None and self.form.digest == self.layer.diff_id


class Uploads:
    """One for the daemon."""

    def __init__(self, *, content: Content, layers: Layers, origins: Origins, settings: RegistrySettings) -> None:
        self._content = content
        self._layers = layers
        self._origins = origins
        self._settings = settings
        self._slots = asyncio.Semaphore(settings.uploads)

    async def send(self, repository: Repository, one: Outgoing, board: Board) -> Descriptor:
        """Return the descriptor of the blob, which the repository has then. Raises RegistryError and TransportError."""
        if self._slots.locked():
            board.post(step(one.name, "Waiting"))
        async with self._slots:
            sender = _Sender(self._content, self._layers, self._origins, repository, one, board)
            attempts = Attempts(self._settings.attempts, self._settings.retry_delay)
            await attempts.repeat(one.name, board.post, sender.attempt)
        assert sender.sent is not None
        return sender.sent

    async def config(self, repository: Repository, digest: str, data: bytes) -> None:
        """Send a small blob unless it is there."""
        if await repository.blob_size(digest) is None:
            await repository.finish(await repository.begin(), digest, data)

    async def blob(self, repository: Repository, digest: str) -> None:
        """Send a kept blob unless it is there."""
        if await repository.blob_size(digest) is None:
            pieces = source.file(self._content, digest, lambda _: None)
            await repository.finish(await repository.begin(), digest, pieces, self._content.size(digest))


class _Sender:
    def __init__(self, content: Content, layers: Layers, origins: Origins, repository: Repository, one: Outgoing, board: Board) -> None:
        self._content = content
        self._layers = layers
        self._origins = origins
        self._repository = repository
        self._one = one
        self._board = board
        self._plain_bytes = 0
        self.sent: Descriptor | None = None

    async def attempt(self) -> None:
        form = self._one.form
        location = ""
        if form is not None:
            if await self._repository.blob_size(form.digest) is not None:
                await self._done(form, "Layer already exists")
                return
            location, origin = await self._mount(form.digest)
            if origin:
                await self._done(form, f"Mounted from {origin}")
                return
        location = location or await self._repository.begin()
        sent = await (self._whole(form, location) if form is not None and (self._one.kept or self._one.plain) else self._packed(location))
        await self._done(sent, "Pushed")

    async def _done(self, sent: Descriptor, status: str) -> None:
        self.sent = sent
        diff_id = self._one.layer.diff_id
        ours = () if self._one.kept or self._one.plain else (diff_id,)
        await self._origins.learn(self._repository.origin, {diff_id: sent}, made_here=ours)
        self._board.post(step(self._one.name, status))

    async def _mount(self, digest: str) -> tuple[str, str]:
        """Return where to upload to, perhaps, and the repository from which the blob was mounted, if one had it."""
        location = ""
        known = await self._origins.sources(self._one.layer.diff_id, digest)
        for path in mountable(known, self._repository.origin)[:_MOUNTS]:
            try:
                location = await self._repository.mount(digest, path)
            except RegistryError:
                # Not allowed to read there any more, or gone: sending it is always right.
                continue
            if not location:
                return "", path
        return location, ""

    async def _whole(self, form: Descriptor, location: str) -> Descriptor:
        """Send a blob whose digest and size are known, in one piece."""
        if self._one.kept:
            pieces = source.file(self._content, form.digest, self._pushing(form.size))
        else:
            pieces = self._counted(self._layers.tar(self._one.layer.chain_id), self._pushing(form.size))
        await self._repository.finish(location, form.digest, pieces, form.size)
        return form

    async def _counted(self, pieces: AsyncIterator[bytes], count: Callable[[int], None]) -> AsyncIterator[bytes]:
        sent = 0
        async for piece in pieces:
            yield piece
            sent += len(piece)
            count(sent)

    async def _packed(self, location: str) -> Descriptor:
        """Compress and send at the same time; only then is it known what was sent."""
        one = self._one
        total = max(one.layer.tar_size, 1)
        async with source.packing(self._layers, self._content, one.layer, self._packing) as (pieces, packed):
            show = self._pushing(total)
            location = await self._repository.patch(location, self._shown(pieces, lambda: show(min(self._plain_bytes, total))))
            made: Packed = await packed
        await self._repository.finish(location, made.digest)
        return Descriptor(one.media_type, made.digest, made.size)

    async def _shown(self, pieces: AsyncIterator[bytes], show: Callable[[], None]) -> AsyncIterator[bytes]:
        async for piece in pieces:
            yield piece
            show()

    def _packing(self, count: int) -> None:
        """Called in the thread that compresses."""
        self._plain_bytes = count

    def _pushing(self, total: int) -> Callable[[int], None]:
        return lambda sent: self._board.amount(self._one.name, "Pushing", sent, total)


def mountable(known: Sequence[str], target: str) -> list[str]:
    """Return the paths of repositories in the target's registry, except the target."""
    domain = target.partition("/")[0]
    return [source.partition("/")[2] for source in known if source.partition("/")[0] == domain and source != target]
