"""``docker load``: images out of an archive of ``docker save``, new or old, or out of an OCI layout."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from argosy.base import ids
from argosy.base.clock import Clock
from argosy.base.errors import InvalidParameterError
from argosy.base.events import EventBus
from argosy.base.units import human_size
from argosy.images import bundle as bundles
from argosy.images import platforms
from argosy.images.bundle import Bundle, Found
from argosy.images.catalog import Catalog
from argosy.images.index import Tree, is_image, parts
from argosy.images.platforms import Platform
from argosy.images.record import ImageRecord
from argosy.images.spool import Spool, plain, spooled
from argosy.oci import digest as digests
from argosy.oci import image as oci_image
from argosy.oci.descriptor import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, Descriptor, Manifest
from argosy.oci.image import ImageConfig
from argosy.oci.reference import Reference, parse
from argosy.storage.content import Content
from argosy.storage.ingest import LayerIngest, Part
from argosy.storage.layers import Layers

_SUFFIX = {"gzip": "+gzip", "zstd": "+zstd", "": ""}
_CHUNK = 1 << 20


class _Entry(msgspec.Struct, frozen=True):
    """Of ``manifest.json`` (moby ``image/tarexport``)."""

    config: str = msgspec.field(name="Config")
    repo_tags: tuple[str, ...] | None = msgspec.field(name="RepoTags", default=None)
    layers: tuple[str, ...] | None = msgspec.field(name="Layers", default=None)
    parent: str = msgspec.field(name="Parent", default="")


@dataclass(frozen=True, slots=True)
class Plan:
    """One image of the archive, checked as far as can be without its layers."""

    id: str
    config_data: bytes
    config: ImageConfig
    layers: tuple[Part, ...]
    names: tuple[Reference, ...]
    parent: str
    found: Found | None
    """The manifest that the archive has for it; else one is made."""
    index: str = ""
    """Digest of the index under which the archive has it."""
    quiet: bool = False
    """Another of its index speaks for it."""

    @property
    def platform(self) -> Platform:
        return Platform(self.config.os or "linux", self.config.architecture, self.config.variant)


class Loader:
    def __init__(self, *, catalog: Catalog, content: Content, layers: Layers, events: EventBus, clock: Clock, scratch: Path) -> None:
        self._catalog = catalog
        self._content = content
        self._layers = layers
        self._events = events
        self._clock = clock
        self._scratch = scratch

    async def load(self, body: AsyncIterator[bytes], *, quiet: bool, platform: str) -> AsyncIterator[Mapping[str, Any]]:
        """Yield Docker's messages. Raises InvalidParameterError on a broken archive; then nothing of it is kept."""
        async with spooled(body, self._scratch) as sent, plain(sent, self._scratch, self._layers.limits) as spool:
            bundle = await asyncio.to_thread(bundles.read, spool)
            plans, trees = await asyncio.to_thread(_planned, bundle, platform)
            async for message in self._take(plans, spool, bundle, trees, quiet=quiet):
                yield message

    async def _take(
        self, plans: Sequence[Plan], spool: Spool, bundle: Bundle, trees: Sequence[Tree], *, quiet: bool
    ) -> AsyncIterator[Mapping[str, Any]]:
        with ExitStack() as leases:
            manifests: list[str] = []
            for tree in trees:
                await self._index(bundle, tree, leases)
            async with self._layers.ingest() as ingest:
                for plan in plans:
                    described: list[Descriptor] = []
                    parent: str | None = None
                    for number, (part, diff_id) in enumerate(zip(plan.layers, plan.config.diff_ids)):
                        if not quiet:
                            yield _progress(diff_id, 0, part.size)
                        layer = await self._layer(ingest, parent, part, diff_id, number)
                        described.append(await self._keep(plan, number, part, diff_id, layer_recipe=layer.recipe, leases=leases))
                        parent = layer.chain_id
                        if not quiet:
                            yield _progress(diff_id, part.size, part.size)
                    manifests.append(await self._blobs(plan, described, leases))
                await spool.release()
            for plan, manifest in zip(plans, manifests):
                async for message in self._record(plan, manifest):
                    yield message

    async def _index(self, bundle: Bundle, tree: Tree, leases: ExitStack) -> None:
        """Keep an index with what is no image of it: attestations."""
        for digest in (*tree.documents, *tree.artifacts):
            part = bundle.blob(digest)
            if part is not None:
                leases.enter_context(self._content.leases.hold(digest))
                await self._content.put_region(part.fd, part.offset, part.size, digest)

    async def _layer(self, ingest: LayerIngest, parent: str | None, part: Part, diff_id: str, number: int) -> Any:
        try:
            return await ingest.add(parent, part, expected=diff_id)
        except InvalidParameterError as error:
            words = str(error).replace("invalid diffID for layer:", f"invalid diffID for layer {number}:")
            raise InvalidParameterError(words) from error

    async def _keep(self, plan: Plan, number: int, part: Part, diff_id: str, *, layer_recipe: bool, leases: ExitStack) -> Descriptor:
        """Keep the layer's blob unless its tar can be made again from the tree, and return its descriptor."""
        kind = part.compression()
        if plan.found is not None:
            descriptor = plan.found.manifest.layers[number]
        elif kind in _SUFFIX and kind:
            digest = await asyncio.to_thread(_digest, part)
            descriptor = Descriptor(OCI_LAYER + _SUFFIX[kind], digest, part.size)
        elif kind:
            raise InvalidParameterError(f"layers compressed by {kind} have no media type: the archive needs an index.json")
        else:
            descriptor = Descriptor(OCI_LAYER, diff_id, part.size)
        leases.enter_context(self._content.leases.hold(descriptor.digest))
        if descriptor.digest != diff_id or not layer_recipe:
            await self._content.put_region(part.fd, part.offset, part.size, descriptor.digest)
        return descriptor

    async def _blobs(self, plan: Plan, layers: list[Descriptor], leases: ExitStack) -> str:
        """Store configuration and manifest; return the manifest's digest."""
        if plan.found is not None:
            data = plan.found.data
        else:
            data = encode_manifest(plan.id, len(plan.config_data), layers)
        leases.enter_context(self._content.leases.hold(plan.id, digests.of(data)))
        await self._content.put(plan.config_data)
        return await self._content.put(data)

    async def _record(self, plan: Plan, manifest: str) -> AsyncIterator[Mapping[str, Any]]:
        now = self._clock.now_ns()
        parent = plan.parent if self._catalog.get(plan.parent) is not None else ""
        record = ImageRecord(manifest=manifest, arrived=now, parent=parent, index=plan.index)
        _, moved = await self._catalog.add(plan.id, record, plan.names, settle=True)
        if plan.quiet:
            return
        for reference in plan.names:
            if str(reference) in moved:
                old = moved[str(reference)]
                yield {"stream": f"The image {reference.familiar} already exists, renaming the old one with ID {old} to empty string\n"}
            self._events.publish("image", "tag", plan.id, event_attributes(plan.config, reference.familiar))
            yield {"stream": f"Loaded image: {reference.familiar}\n"}
        if not plan.names:
            yield {"stream": f"Loaded image ID: {plan.id}\n"}
        self._events.publish("image", "load", plan.id, event_attributes(plan.config, plan.id))


def _planned(bundle: Bundle, platform: str) -> tuple[list[Plan], list[Tree]]:
    plans = chosen(bundle, platform)
    return plans, [bundles.tree(bundle, digest) for digest in dict.fromkeys(plan.index for plan in plans if plan.index)]


def chosen(bundle: Bundle, platform: str) -> list[Plan]:
    """Return what of an archive is for ``platform`` (empty: all), of each index the best for this host first.

    Raises InvalidParameterError where nothing is.
    """
    everything = plan_all(bundle)
    if not platform:
        return in_order(everything)
    wanted = platforms.parse(platform)
    found = in_order([plan for plan in everything if platforms.same(plan.platform, wanted)])
    if found:
        return found
    for digest in dict.fromkeys(plan.index for plan in everything if plan.index):
        entry = platforms.choose(bundles.tree(bundle, digest).manifests, wanted)
        if entry is not None:
            raise InvalidParameterError(
                f"requested platform ({platform}) found, but some content is missing: content digest {entry.digest}: not found"
            )
    raise InvalidParameterError(f"no image of the archive is for the platform {platform}")


def in_order(plans: Sequence[Plan]) -> list[Plan]:
    """Return plans so that of each index the best for this host comes first, which alone has the names."""
    host = platforms.host()
    best: dict[str, Plan] = {}
    for plan in sorted(plans, key=lambda plan: platforms.rank(plan.platform, host)):
        best.setdefault(plan.index, plan)
    found: list[Plan] = []
    for plan in plans:
        if not plan.index:
            found.append(plan)
        elif best[plan.index] is plan:
            family = [one for one in plans if one.index == plan.index]
            names = tuple(dict.fromkeys(name for one in family for name in one.names))
            found.append(replace(plan, names=names))
            found += [replace(one, names=(), quiet=True) for one in family if one is not plan]
    return found


def plan_all(bundle: Bundle) -> list[Plan]:
    """Return what the archive offers. Raises InvalidParameterError in Docker's words."""
    found = bundles.manifests(bundle)
    if bundle.find("manifest.json") is None:
        if not found:
            # Docker names the file of the oldest format, which it tries last.
            raise InvalidParameterError("open repositories: no such file or directory")
        return _images(bundle, found)
    try:
        entries = msgspec.json.decode(bundle.data("manifest.json"), type=list[_Entry])
    except msgspec.DecodeError as error:
        raise InvalidParameterError(f"invalid manifest.json: {error}") from error
    plans = [_from_entry(bundle, entry, found) for entry in entries]
    # The list names one image of an index; what else is there of it comes along.
    indexes = {plan.index for plan in plans if plan.index}
    known = {plan.found.descriptor.digest for plan in plans if plan.found is not None}
    return plans + _images(bundle, [one for one in found if one.index in indexes and one.descriptor.digest not in known])


def _images(bundle: Bundle, found: Sequence[Found]) -> list[Plan]:
    """Return the images among manifests. Of an index those for another system are left out, as are those without their blobs."""
    images = [one for one in found if is_image(one.descriptor, one.manifest)]
    return [_from_manifest(bundle, one) for one in images if not one.index or _is_whole(bundle, one)]


def _is_whole(bundle: Bundle, found: Found) -> bool:
    foreign = found.descriptor.platform is not None and found.descriptor.platform.os not in ("", "linux")
    return not foreign and all(bundle.blob(digest) is not None for digest in parts(found.manifest))


def _from_entry(bundle: Bundle, entry: _Entry, found: list[Found]) -> Plan:
    data = bundle.data(entry.config)
    layers = tuple(bundle.part(name) for name in entry.layers or ())
    config = checked_config(data, len(layers))
    names = []
    for tag in entry.repo_tags or ():
        reference = parse(tag)
        if not reference.tag:
            raise InvalidParameterError(f"invalid tag {_quoted(tag)}")
        names.append(reference)
    image_id = digests.of(data)
    match = _match(image_id, layers, found, bundle)
    return Plan(image_id, data, config, layers, tuple(names), entry.parent, match, match.index if match is not None else "")


def _match(image_id: str, layers: tuple[Part, ...], found: list[Found], bundle: Bundle) -> Found | None:
    """Return the manifest of ``index.json`` that has this configuration and these very layers."""
    for one in found:
        if one.manifest.config.digest == image_id:
            parts = tuple(bundle.blob(layer.digest) for layer in one.manifest.layers)
            if parts == layers:
                return one
    return None


def _from_manifest(bundle: Bundle, found: Found) -> Plan:
    data = bundle.blob_data(found.manifest.config.digest)
    if data is None:
        raise InvalidParameterError(f"blob {found.manifest.config.digest} is not in the archive")
    layers = []
    for layer in found.manifest.layers:
        part = bundle.blob(layer.digest)
        if part is None:
            raise InvalidParameterError(f"blob {layer.digest} is not in the archive")
        layers.append(part)
    names = tuple(parse(name).tagged() for name in found.names)
    return Plan(digests.of(data), data, checked_config(data, len(layers)), tuple(layers), names, "", found, found.index)


def checked_config(data: bytes, layers: int) -> ImageConfig:
    """Return a configuration that can be an image's with that many layers. Raises InvalidParameterError in Docker's words."""
    config = oci_image.decode(data)
    if config.rootfs is None:
        raise InvalidParameterError("invalid image JSON, no RootFS key")
    if len(config.diff_ids) != layers:
        raise InvalidParameterError(f"invalid manifest, layers length mismatch: expected {layers}, got {len(config.diff_ids)}")
    for diff_id in config.diff_ids:
        digests.split(diff_id)
    if config.os not in ("", "linux"):
        raise InvalidParameterError(f"cannot load {config.os} image on linux")
    return config


def encode_manifest(config: str, size: int, layers: list[Descriptor]) -> bytes:
    """Return the manifest for an image that came without one; the same bytes that Docker writes for it."""
    manifest = Manifest(schema_version=2, media_type=OCI_MANIFEST, config=Descriptor(OCI_CONFIG, config, size), layers=tuple(layers))
    return msgspec.json.encode(manifest)


def event_attributes(config: ImageConfig, name: str) -> dict[str, str]:
    """Return an image event's attributes: the image's labels, and the name under which it happened."""
    labels = dict((config.config.labels if config.config is not None else None) or {})
    return {**labels, "name": name}


def _digest(part: Part) -> str:
    hasher = hashlib.sha256()
    buffer = memoryview(bytearray(_CHUNK))
    offset, end = part.offset, part.offset + part.size
    while offset < end and (got := os.preadv(part.fd, [buffer[: end - offset]], offset)):
        hasher.update(buffer[:got])
        offset += got
    return "sha256:" + hasher.hexdigest()


def _progress(diff_id: str, current: int, total: int) -> dict[str, Any]:
    done = 50 * current // total if total else 50
    bar = "=" * done + (">" if done < 50 else "") + " " * (49 - done)
    return {
        "status": "Loading layer",
        "progressDetail": {"current": current, "total": total},
        "progress": f"[{bar}]  {human_size(current):>8}/{human_size(total)}",
        "id": ids.short(diff_id),
    }


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
