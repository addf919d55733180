"""``docker load``: images out of an archive of ``docker save``, new or old, or out of an OCI layout."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from argosy.base import ids
from argosy.base.clock import Clock
from argosy.base.errors import InvalidParameterError
from argosy.base.events import EventBus
from argosy.base.units import human_size
from argosy.images import bundle as bundles
from argosy.images.bundle import Bundle, Found
from argosy.images.catalog import Catalog
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
            plans = [plan for plan in plan_all(bundle) if _fits(plan, platform)]
            if not plans:
                raise InvalidParameterError(f"no image of the archive is for the platform {platform}")
            async for message in self._take(plans, spool, quiet=quiet):
                yield message

    async def _take(self, plans: list[Plan], spool: Spool, *, quiet: bool) -> AsyncIterator[Mapping[str, Any]]:
        with ExitStack() as leases:
            manifests: list[str] = []
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
        record = ImageRecord(manifest=manifest, arrived=now, parent=parent, last_tagged=now if plan.names else 0)
        _, moved = await self._catalog.add(plan.id, record, plan.names)
        for reference in plan.names:
            if str(reference) in moved:
                old = moved[str(reference)]
                yield {"stream": f"The image {reference.familiar} already exists, renaming the old one with ID {old} to empty string\n"}
            self._events.publish("image", "tag", plan.id, event_attributes(plan.config, reference.familiar))
            yield {"stream": f"Loaded image: {reference.familiar}\n"}
        if not plan.names:
            yield {"stream": f"Loaded image ID: {plan.id}\n"}
        self._events.publish("image", "load", plan.id, event_attributes(plan.config, plan.id))


def plan_all(bundle: Bundle) -> list[Plan]:
    """Return what the archive offers. Raises InvalidParameterError in Docker's words."""
    found = bundles.manifests(bundle)
    if bundle.find("manifest.json") is not None:
        try:
            entries = msgspec.json.decode(bundle.data("manifest.json"), type=list[_Entry])
        except msgspec.DecodeError as error:
            raise InvalidParameterError(f"invalid manifest.json: {error}") from error
        return [_from_entry(bundle, entry, found) for entry in entries]
    if not found:
        # Docker names the file of the oldest format, which it tries last.
        raise InvalidParameterError("open repositories: no such file or directory")
    return [_from_manifest(bundle, one) for one in found if _is_image(one)]


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
    return Plan(image_id, data, config, layers, tuple(names), entry.parent, _match(image_id, layers, found, bundle))


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
    parts = []
    for layer in found.manifest.layers:
        part = bundle.blob(layer.digest)
        if part is None:
            raise InvalidParameterError(f"blob {layer.digest} is not in the archive")
        parts.append(part)
    names = tuple(parse(name).tagged() for name in found.names)
    return Plan(digests.of(data), data, checked_config(data, len(parts)), tuple(parts), names, "", found)


def _is_image(found: Found) -> bool:
    """Attestations and other artifacts have a configuration that is none."""
    annotations = found.descriptor.annotations or {}
    return "vnd.docker.reference.type" not in annotations and "image" in found.manifest.config.media_type


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


def _fits(plan: Plan, platform: str) -> bool:
    return not platform or matches_platform(plan.config, platform)


def matches_platform(config: ImageConfig, platform: str) -> bool:
    """Return whether an image is for ``os[/architecture[/variant]]``."""
    wanted = platform.split("/")
    own = [config.os or "linux", config.architecture, config.variant]
    return all(not want or want == have for want, have in zip(wanted, own))


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
