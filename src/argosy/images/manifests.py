"""What an image's index, or its one manifest, is told as: descriptors and API 1.47's ImageManifestSummary."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from argosy.base.errors import NotFoundError
from argosy.images import platforms
from argosy.images.catalog import Catalog
from argosy.images.index import is_image, parts
from argosy.images.record import Image
from argosy.oci.descriptor import OCI_MANIFEST, Descriptor, Manifest, Platform
from argosy.storage.content import Content

REFERENCE = "vnd.docker.reference.digest"
"""Annotation of an attestation's entry: the manifest that it is about."""
Containers = Callable[[str], Sequence[str]]
"""Given an image id, returns the ids of the containers that use it."""


def descriptor(image: Image, content: Content, *, whole: bool = True) -> Descriptor:
    """Return what names an image: its index (``whole``), or its manifest where there is none."""
    if whole and image.index is not None:
        return Descriptor(image.index.media_type, image.index.digest, content.size(image.index.digest))
    return _own(image, content)


def summaries(image: Image, *, catalog: Catalog, content: Content, containers: Containers) -> list[Mapping[str, Any]]:
    """Return one summary a manifest, in the order of the index; the one manifest of an image that came without."""
    if image.index is None:
        return [_of_image(image, _own(image, content), content, containers)]
    found = []
    for entry in image.index.manifests:
        one = catalog.by_manifest(entry.digest)
        found.append(_of_image(one, entry, content, containers) if one is not None else _of_entry(entry, content))
    return found


def wire(entry: Descriptor) -> dict[str, Any]:
    """Return a descriptor as the API writes it."""
    return dict(msgspec.to_builtins(entry))


def _own(image: Image, content: Content) -> Descriptor:
    digest = image.record.manifest
    described = image.index.describes(digest) if image.index is not None else None
    return described or Descriptor(image.manifest.media_type or OCI_MANIFEST, digest, content.size(digest))


def _platform(image: Image) -> Platform:
    config = image.config
    return Platform(config.architecture, config.os or "linux", config.os_version, config.os_features or (), config.variant)


def _of_image(image: Image, entry: Descriptor, content: Content, containers: Containers) -> Mapping[str, Any]:
    own = {image.id, image.record.manifest, *(layer.digest for layer in image.manifest.layers)}
    held, used = _bytes(own, content), containers(image.id)
    return _summary(entry, entry.platform or _platform(image), held, unpacked=image.view.size, available=True, containers=used)


def _of_entry(entry: Descriptor, content: Content) -> Mapping[str, Any]:
    """Of a manifest that is no image here: it is not here at all, or is something else."""
    try:
        manifest = msgspec.json.decode(content.read(entry.digest), type=Manifest)
    except (NotFoundError, msgspec.DecodeError):
        return _summary(entry, entry.platform, 0, unpacked=0, available=False, containers=())
    blobs = {entry.digest, *parts(manifest)}
    available = all(content.has(blob) for blob in blobs)
    kind = "" if is_image(entry, manifest) else "unknown"
    return _summary(entry, entry.platform, _bytes(blobs, content), unpacked=0, available=available, containers=(), kind=kind)


def _summary(
    entry: Descriptor,
    platform: Platform | None,
    held: int,
    *,
    unpacked: int,
    available: bool,
    containers: Sequence[str],
    kind: str = "",
) -> Mapping[str, Any]:
    """``held``: bytes of the blobs that are here, the manifest included; ``unpacked``: bytes of the layers' files."""
    summary: dict[str, Any] = {
        "ID": entry.digest,
        "Descriptor": wire(entry),
        "Available": available,
        "Size": {"Content": held, "Total": held + unpacked},
    }
    if platforms.is_attestation(entry):
        about = (entry.annotations or {}).get(REFERENCE, "")
        return summary | {"Kind": "attestation", "AttestationData": {"For": about}}
    if kind:
        return summary | {"Kind": kind}
    data = {
        "Platform": _wire_platform(platform),
        "Size": {"Unpacked": unpacked},
        "Containers": list(containers) or None,
    }
    return summary | {"Kind": "image", "ImageData": data}


def _wire_platform(platform: Platform | None) -> dict[str, Any]:
    """Return a platform with the two fields that are never left out (specs-go ``Platform``)."""
    found = platform or Platform()
    return {"architecture": found.architecture, "os": found.os} | dict(msgspec.to_builtins(found))


def _bytes(blobs: set[str], content: Content) -> int:
    return sum(content.size(blob) for blob in blobs if content.has(blob))
