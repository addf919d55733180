"""New images from a tree of files: ``docker import`` (one layer, no history) and ``docker commit`` (one more layer)."""

import platform as machine
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from argosy.base import clock as clocks
from argosy.base.clock import Clock
from argosy.base.errors import InvalidParameterError, NotFoundError
from argosy.base.events import EventBus
from argosy.images.catalog import Catalog
from argosy.images.load import encode_manifest, event_attributes
from argosy.images.model import Changes, CommitRequest
from argosy.images.record import Image, ImageRecord
from argosy.images.spool import spooled
from argosy.oci import digest as digests
from argosy.oci import image as oci_image
from argosy.oci.config import Config
from argosy.oci.descriptor import OCI_LAYER, Descriptor
from argosy.oci.image import History, ImageConfig, RootFs, to_wire
from argosy.oci.reference import Reference, parse, repository_and_tag
from argosy.storage.content import Content
from argosy.storage.ingest import Part
from argosy.storage.layer import Layer, chain_ids
from argosy.storage.layers import Layers
from argosy.storage.snapshots import Snapshots

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
_EMPTY_LAYER = digests.of(bytes(1024))
VERSION = "28.5.2"
"""Written as ``docker_version``: the Docker whose format this is."""


def host_architecture() -> str:
    name = machine.machine()
    return _ARCHITECTURES.get(name, name)


class Composer:
    def __init__(
        self,
        *,
        catalog: Catalog,
        content: Content,
        snapshots: Snapshots,
        events: EventBus,
        clock: Clock,
        scratch: Path,
        changes: Changes,
    ) -> None:
        self._change = changes
        self._catalog = catalog
        self._content = content
        self._snapshots = snapshots
        self._layers: Layers = snapshots.layers
        self._events = events
        self._clock = clock
        self._scratch = scratch

    async def import_(
        self, body: AsyncIterator[bytes], *, reference: Reference | None, message: str, changes: Sequence[str], platform: str
    ) -> AsyncIterator[Mapping[str, Any]]:
        """Yield the new id. Raises InvalidParameterError on a broken archive, leaving nothing."""
        config = self._change(Config(), changes)
        os_name, architecture, variant = _platform(platform)
        now = self._clock.now_ns()
        created = clocks.rfc3339_nano(now)
        with ExitStack() as leases:
            async with spooled(body, self._scratch) as spool:
                part = Part(spool.fd, 0, spool.size)
                async with self._layers.ingest() as ingest:
                    layer = await ingest.add(None, part, recipe_always=True)
                    await self._need_tar(layer, part, leases)
                    await spool.release()
                image = ImageConfig(
                    architecture=architecture,
                    variant=variant,
                    os=os_name,
                    created=created,
                    comment=message,
                    docker_version=VERSION,
                    config=to_wire(config),
                    rootfs=RootFs(diff_ids=(layer.diff_id,)),
                    history=(History(created=created, comment=message),),
                )
                known = await self._store(image, (layer,), ImageRecord(manifest="", arrived=now), _all(reference), leases)
        self._announce(known, reference)
        self._events.publish("image", "import", known.id, event_attributes(known.config, known.id))
        yield {"status": known.id}

    async def commit(self, request: CommitRequest) -> str:
        """Return the id of the image with the snapshot's changes as one more layer (none if nothing changed, as Docker)."""
        parent = self._catalog.get(request.parent_image) if request.parent_image else None
        if request.parent_image and parent is None:
            raise NotFoundError(f"No such image: {request.parent_image}")
        reference = parse(request.reference).tagged() if request.reference else None
        if reference is not None and reference.digest:
            raise InvalidParameterError("cannot import digest reference")
        now = self._clock.now_ns()
        with ExitStack() as leases:
            if parent is not None and parent.chain is not None:
                leases.enter_context(self._layers.leases.hold(parent.chain))
            async with self._layers.ingest() as ingest:
                layer = await self._snapshots.commit(request.snapshot, ingest)
                leases.enter_context(self._layers.leases.hold(layer.chain_id))
            image = _child(request, parent, layer, clocks.rfc3339_nano(now))
            stack = [self._layers.get(chain) for chain in parent.chains] if parent is not None else []
            if layer.diff_id != _EMPTY_LAYER:
                stack.append(layer)
            record = ImageRecord(manifest="", arrived=now, parent=request.parent_image)
            known = await self._store(image, stack, record, _all(reference), leases, parent)
        self._announce(known, reference)
        return known.id

    async def built(self, config: ImageConfig, *, base: Image | None, references: Sequence[Reference]) -> str:
        """Record the image of a build, whose layers are there and settled; return its id. ``base``: what it was built on."""
        record = ImageRecord(manifest="", arrived=self._clock.now_ns())
        there = base if base is not None and config is base.config else self._catalog.get(digests.of(oci_image.encode(config)))
        if there is not None:
            return await self._tagged(there, references)
        stack = [self._layers.get(chain) for chain in chain_ids(list(config.diff_ids))]
        with ExitStack() as leases:
            leases.enter_context(self._layers.leases.hold(*(layer.chain_id for layer in stack[-1:])))
            known = await self._store(config, stack, record, references, leases, base)
        for reference in references:
            self._announce(known, reference)
        return known.id

    async def _tagged(self, image: Image, references: Sequence[Reference]) -> str:
        """Name an image that is there; nothing is written when it has these names."""
        if any(self._catalog.named(reference) is not image for reference in references):
            await self._catalog.add(image.id, msgspec.structs.replace(image.record, last_tagged=self._clock.now_ns()), references)
        for reference in references:
            self._announce(image, reference)
        return image.id

    async def _need_tar(self, layer: Layer, part: Part, leases: ExitStack) -> None:
        """A layer whose tar cannot be made again from its tree keeps the tar as a blob."""
        if layer.recipe:
            return
        leases.enter_context(self._content.leases.hold(layer.diff_id))
        if kind := part.compression():
            await self._content.put_stream(part, kind, layer.diff_id)
        else:
            await self._content.put_region(part.fd, part.offset, part.size, layer.diff_id)

    async def _store(
        self,
        config: ImageConfig,
        stack: Sequence[Layer],
        record: ImageRecord,
        references: Sequence[Reference],
        leases: ExitStack,
        parent: Image | None = None,
    ) -> Image:
        data = oci_image.encode(config)
        image_id = digests.of(data)
        # The layers that were the parent's keep the form (compressed, say) in which the parent has them.
        inherited = parent.manifest.layers if parent is not None else ()
        layers = [*inherited, *(Descriptor(OCI_LAYER, layer.diff_id, layer.tar_size) for layer in stack[len(inherited) :])]
        manifest = encode_manifest(image_id, len(data), layers)
        leases.enter_context(self._content.leases.hold(image_id, digests.of(manifest)))
        await self._content.put(data)
        await self._content.put(manifest)
        whole = ImageRecord(
            manifest=digests.of(manifest),
            arrived=record.arrived,
            parent=record.parent,
            last_tagged=record.arrived if references else 0,
        )
        image, _ = await self._catalog.add(image_id, whole, references)
        return image

    def _announce(self, image: Image, reference: Reference | None) -> None:
        if reference is not None:
            self._events.publish("image", "tag", image.id, event_attributes(image.config, reference.familiar))


def _all(reference: Reference | None) -> tuple[Reference, ...]:
    return (reference,) if reference is not None else ()


def _child(request: CommitRequest, parent: Image | None, layer: Layer, created: str) -> ImageConfig:
    """Return the configuration of a committed image (moby ``image.NewChildImage``)."""
    empty = layer.diff_id == _EMPTY_LAYER
    base = parent.config if parent is not None else ImageConfig(os="linux", architecture=host_architecture())
    container = request.container_config or request.config
    entry = History(
        created=created,
        author=request.author,
        created_by=" ".join(container.cmd or ()),
        comment=request.comment,
        empty_layer=empty,
    )
    return ImageConfig(
        architecture=base.architecture,
        variant=base.variant,
        os=base.os,
        os_version=base.os_version,
        os_features=base.os_features,
        created=created,
        author=request.author,
        comment=request.comment,
        docker_version=VERSION,
        container=request.container_id,
        container_config=to_wire(container),
        config=to_wire(request.config),
        rootfs=RootFs(diff_ids=(*base.diff_ids, *(() if empty else (layer.diff_id,)))),
        history=(*(base.history or ()), entry),
    )


def _platform(text: str) -> tuple[str, str, str]:
    if not text:
        return "linux", host_architecture(), ""
    os_name, _, rest = text.partition("/")
    architecture, _, variant = rest.partition("/")
    if os_name != "linux":
        raise InvalidParameterError(f"operating system is not supported: {os_name}")
    return os_name, architecture or host_architecture(), variant


def import_reference(repo: str, tag: str) -> Reference | None:
    """Return the name given to ``docker import``; ``tag`` may also be a digest, which is refused."""
    return repository_and_tag(repo, tag) if repo else None
