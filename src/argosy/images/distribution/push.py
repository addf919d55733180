"""``docker push``: one tag, or all tags of a repository."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import msgspec

from argosy.base.clock import Clock
from argosy.base.errors import ArgosyError, InvalidParameterError, NotFoundError
from argosy.base.events import EventBus
from argosy.base.ids import short
from argosy.images.catalog import Catalog
from argosy.images.distribution import connect, endpoints, failures
from argosy.images.distribution.credentials import Credentials
from argosy.images.distribution.failures import NoCredentials
from argosy.images.distribution.http import Http
from argosy.images.distribution.origins import Origins
from argosy.images.distribution.progress import Board, Watch, step
from argosy.images.distribution.repository import Repository
from argosy.images.distribution.settings import RegistrySettings
from argosy.images.distribution.tokens import Tokens
from argosy.images.distribution.upload import Outgoing, Uploads
from argosy.images.index import Tree, parts
from argosy.images.load import event_attributes
from argosy.images.manifests import descriptor, wire
from argosy.images.record import Image
from argosy.oci import digest as digests
from argosy.oci.descriptor import DOCKER_LAYER, DOCKER_MANIFEST, OCI_INDEX, OCI_LAYER, OCI_MANIFEST, Descriptor, Index, Manifest
from argosy.oci.reference import Reference
from argosy.storage.content import Content
from argosy.storage.layers import Layers


class Pusher:
    def __init__(
        self,
        *,
        catalog: Catalog,
        content: Content,
        layers: Layers,
        origins: Origins,
        events: EventBus,
        clock: Clock,
        http: Http,
        tokens: Tokens,
        uploads: Uploads,
        settings: RegistrySettings,
    ) -> None:
        self._catalog = catalog
        self._content = content
        self._layers = layers
        self._origins = origins
        self._events = events
        self._clock = clock
        self._http = http
        self._tokens = tokens
        self._uploads = uploads
        self._settings = settings

    async def push(self, reference: Reference, *, platform: str, credentials: Credentials, watch: Watch) -> None:
        """Push the tag, or all tags where none is given, telling how it goes in Docker's messages. Raises kinds in its words."""
        watch({"status": f"The push refers to repository [{reference.name}]"})
        chosen = self._chosen(reference)
        async with self._http.using():
            try:
                candidates = endpoints.for_push(reference.domain, self._settings)
                session = await connect.first(self._http, candidates, tokens=self._tokens, credentials=credentials)
                repository = Repository(session, reference, settings=self._settings)
                for name, image in chosen:
                    await self._one(repository, name, image, platform, watch)
            except NoCredentials:
                raise NoCredentials("no basic auth credentials") from None
            except ArgosyError as error:
                raise failures.kind_of(error) from error
        image = chosen[-1][1]
        self._events.publish("image", "push", reference.familiar, event_attributes(image.config, reference.familiar_name))

    def _chosen(self, reference: Reference) -> list[tuple[Reference, Image]]:
        if reference.digest:
            raise InvalidParameterError("cannot push a digest reference")
        names = [reference]
        if not reference.tag:
            names = [name for name in self._catalog.references_by_name(reference.name) if name.tag and not name.digest]
        found = [(name, image) for name in names if (image := self._catalog.named(name)) is not None]
        if not found:
            raise NotFoundError(f"An image does not exist locally with the tag: {reference.familiar_name}")
        return found

    async def _one(self, repository: Repository, name: Reference, image: Image, platform: str, watch: Watch) -> None:
        """Push an image with its index if all of that is here, else one platform's part of it."""
        index = image.index
        if platform:
            image, index = self._catalog.for_platform(image, name.familiar, platform), None
        elif index is not None and not self._is_whole(index):
            watch({"progressDetail": {}, "aux": self._instead(image)})
            index = None
        with ExitStack() as leases:
            if index is not None:
                media_type, data = await self._index(repository, image, index, watch, leases)
            else:
                media_type, data = await self._image(repository, image, watch, leases)
            await repository.put_manifest(name.tag, media_type, data)
        digest = digests.of(data)
        watch({"status": f"{name.tag}: digest: {digest} size: {len(data)}"})
        watch({"progressDetail": {}, "aux": {"Tag": name.tag, "Digest": digest, "Size": len(data)}})
        if (now := self._catalog.get(image.id)) is not None:
            await self._catalog.add(now.id, now.record, [Reference(name.domain, name.path, "", digest)])

    async def _index(self, repository: Repository, image: Image, index: Tree, watch: Watch, leases: ExitStack) -> tuple[str, bytes]:
        """Push what an index names, byte for byte; return its media type and bytes, which are to be sent last."""
        leases.enter_context(self._content.leases.hold(*self._catalog.blobs_of(image)))
        for entry in index.manifests:
            one = self._catalog.by_manifest(entry.digest)
            if one is not None:
                media_type, data = await self._image(repository, one, watch, leases, exact=True)
            else:
                media_type, data = entry.media_type, await self._artifact(repository, entry.digest)
            await repository.put_manifest(entry.digest, media_type, data)
        for digest in reversed(index.documents[1:]):
            await self._nested(repository, digest)
        return index.media_type, self._content.read(index.digest)

    async def _nested(self, repository: Repository, digest: str) -> None:
        data = self._content.read(digest)
        await repository.put_manifest(digest, msgspec.json.decode(data, type=Index).media_type or OCI_INDEX, data)

    async def _artifact(self, repository: Repository, digest: str) -> bytes:
        """Push the blobs of a manifest that is no image's; return its bytes."""
        data = self._content.read(digest)
        for blob in parts(msgspec.json.decode(data, type=Manifest)):
            await self._uploads.blob(repository, blob)
        return data

    def _is_whole(self, index: Tree) -> bool:
        """Return whether all is here that an index names; what only nests another index is here if that is."""
        return all(
            self._catalog.by_manifest(entry.digest) is not None or entry.digest in index.artifacts for entry in index.manifests
        ) and all(self._content.has(digest) for digest in index.artifacts)

    def _instead(self, image: Image) -> Mapping[str, Any]:
        """Return what Docker's client is told when a part of an index is pushed (``PushResult`` of its API)."""
        return {
            "manifestPushedInsteadOfIndex": True,
            "originalIndex": wire(descriptor(image, self._content)),
            "selectedManifest": wire(descriptor(image, self._content, whole=False)),
        }

    async def _image(
        self, repository: Repository, image: Image, watch: Watch, leases: ExitStack, *, exact: bool = False
    ) -> tuple[str, bytes]:
        """Push the blobs of an image; return media type and bytes of the manifest that names them (``exact``: its own)."""
        leases.enter_context(self._content.leases.hold(*self._catalog.blobs_of(image)))
        leases.enter_context(self._layers.leases.hold(*image.chains))
        outgoing = await self._outgoing(image, exact=exact)
        board = Board(self._clock)
        with board.watched(watch):
            for one in reversed(_distinct(outgoing)):
                board.post(step(one.name, "Preparing"))
            sent = await self._send(repository, outgoing, board)
        await self._uploads.config(repository, image.id, self._content.read(image.id))
        return self._manifest(image, sent)

    async def _outgoing(self, image: Image, *, exact: bool) -> list[Outgoing]:
        found = []
        for blob, chain in zip(image.manifest.layers, image.chains):
            layer = self._layers.get(chain)
            origins = await self._origins.of(layer.diff_id)
            made = next((origin for origin in origins if origin.made_here), None)
            form: Descriptor | None = blob
            kept = self._content.has(blob.digest)
            if not exact and blob.digest == layer.diff_id and not any(origin.digest == layer.diff_id for origin in origins):
                # Built here: what the manifest names is a tar that never was anywhere else.
                form, kept = (Descriptor(made.media_type, made.digest, made.size) if made is not None else None), False
            found.append(Outgoing(short(layer.diff_id), layer, form, kept, _compressed_type(image)))
        return found

    async def _send(self, repository: Repository, outgoing: Sequence[Outgoing], board: Board) -> dict[str, Descriptor]:
        """Return the blob of each layer by diff ID."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = {
                    one.layer.diff_id: group.create_task(self._uploads.send(repository, one, board))
                    for one in reversed(_distinct(outgoing))
                }
        except BaseExceptionGroup as error:
            raise failures.first(error) from error
        return {diff_id: task.result() for diff_id, task in tasks.items()}

    def _manifest(self, image: Image, sent: dict[str, Descriptor]) -> tuple[str, bytes]:
        """Return the image's own manifest if the layers went out as it names them, else one like it that names them as they did."""
        own = image.manifest
        media_type = own.media_type or OCI_MANIFEST
        layers = tuple(
            layer if sent[diff_id].digest == layer.digest else _retyped(sent[diff_id], image)
            for layer, diff_id in zip(own.layers, image.config.diff_ids)
        )
        if layers == own.layers:
            return media_type, self._content.read(image.record.manifest)
        return media_type, msgspec.json.encode(msgspec.structs.replace(own, media_type=media_type, layers=layers))


def _compressed_type(image: Image) -> str:
    return DOCKER_LAYER if image.manifest.media_type == DOCKER_MANIFEST else f"{OCI_LAYER}+gzip"


def _retyped(sent: Descriptor, image: Image) -> Descriptor:
    """Return a blob's descriptor in the manner of the image's manifest, in which another image of the same layer may differ."""
    return msgspec.structs.replace(sent, media_type=_compressed_type(image))


def _distinct(outgoing: Sequence[Outgoing]) -> list[Outgoing]:
    return list({one.layer.diff_id: one for one in outgoing}.values())
