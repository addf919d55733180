"""What is in a manifest, as far as a registry cares. Pure; the bytes themselves are never changed.

OCI image specification manifest.md, image-index.md; distribution/docs/spec/manifest-v2-2.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.oci import digest as digests
from argosy.oci.descriptor import DOCKER_LIST, DOCKER_MANIFEST, INDEXES, MANIFESTS, OCI_INDEX, OCI_MANIFEST
from argosy.registry.errors import RegistryError

LIMIT = 4 << 20
"""The specification wants at least this much accepted."""
ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
"""Of the release candidates of OCI 1.1; there are images with it."""
KNOWN = (OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST, ARTIFACT)
_SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+"
_ANY = ("", "application/json", "application/octet-stream")


class _Descriptor(msgspec.Struct, frozen=True, rename="camel"):
    digest: str
    media_type: str = ""
    size: int = 0
    urls: list[str] | None = None
    platform: dict[str, Any] | None = None


class _Document(msgspec.Struct, frozen=True, rename="camel"):
    schema_version: int = 0
    media_type: str = ""
    artifact_type: str | None = None
    config: _Descriptor | None = None
    layers: list[_Descriptor] | None = None
    blobs: list[_Descriptor] | None = None
    manifests: list[_Descriptor] | None = None
    subject: _Descriptor | None = None
    annotations: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Something that a manifest names."""

    digest: str
    size: int
    media_type: str
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    media_type: str
    blobs: tuple[Part, ...] = ()
    """Configuration and layers that the registry has to hold."""
    foreign: tuple[Part, ...] = ()
    """Layers that may be somewhere else (``urls``)."""
    manifests: tuple[Part, ...] = ()
    subject: str = ""
    artifact_type: str = ""
    """As `referrers` lists it: the manifest's own, or its configuration's media type."""
    annotations: Mapping[str, str] | None = None
    config: str = ""

    def descriptor(self, digest: str, size: int) -> dict[str, Any]:
        """Return what the referrers list says of this manifest."""
        found: dict[str, Any] = {"mediaType": self.media_type, "digest": digest, "size": size}
        if self.artifact_type:
            found["artifactType"] = self.artifact_type
        if self.annotations:
            found["annotations"] = dict(self.annotations)
        return found


_DECODER = msgspec.json.Decoder(_Document)


def read(data: bytes, content_type: str) -> Manifest:
    """Return the view of a manifest's bytes. Raises RegistryError MANIFEST_INVALID for what is none, or of a kind we do not keep."""
    claimed = content_type.partition(";")[0].strip()
    if claimed.startswith(_SCHEMA_1):
        raise _schema_1()
    try:
        document = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RegistryError("MANIFEST_INVALID", f"manifest invalid: {error}") from error
    if document.schema_version == 1:
        raise _schema_1()
    media_type = _media_type(document, claimed)
    if document.schema_version != 2 and media_type != ARTIFACT:
        raise RegistryError("MANIFEST_INVALID", f"manifest invalid: schemaVersion is {document.schema_version}, not 2")
    view = _view(document, media_type)
    named = [part.digest for part in (*view.blobs, *view.foreign, *view.manifests)] + ([view.subject] if view.subject else [])
    for digest in named:
        if not digests.is_digest(digest):
            raise RegistryError("MANIFEST_INVALID", f"manifest invalid: it names {digest!r}, which is no digest", detail={"digest": digest})
    return view


def _schema_1() -> RegistryError:
    return RegistryError("MANIFEST_INVALID", "manifest invalid: schema 1 is not supported; push with a client that knows schema 2 or OCI")


def _media_type(document: _Document, claimed: str) -> str:
    own = document.media_type
    if claimed in _ANY:
        claimed = own or (OCI_INDEX if document.manifests is not None else OCI_MANIFEST)
    if own and own != claimed:
        raise RegistryError("MANIFEST_INVALID", f"manifest invalid: its mediaType is {own}, but it was pushed as {claimed}")
    if claimed not in KNOWN:
        raise RegistryError("MANIFEST_INVALID", f"manifest invalid: unknown media type {claimed}")
    return claimed


def _view(document: _Document, media_type: str) -> Manifest:
    subject = document.subject.digest if document.subject else ""
    if media_type in INDEXES:
        if document.manifests is None or document.layers:
            raise RegistryError("MANIFEST_INVALID", "manifest invalid: an index has manifests and no layers")
        return Manifest(
            media_type,
            manifests=tuple(map(_part, document.manifests)),
            subject=subject,
            artifact_type=document.artifact_type or "",
            annotations=document.annotations,
        )
    if media_type in MANIFESTS and (document.config is None or document.layers is None or document.manifests):
        raise RegistryError("MANIFEST_INVALID", "manifest invalid: an image has a config and layers, and no manifests")
    layers = [*(document.layers or ()), *(document.blobs or ())]
    config = document.config
    return Manifest(
        media_type,
        blobs=tuple(_part(item) for item in ([config] if config else []) + layers if not item.urls),
        foreign=tuple(_part(item) for item in layers if item.urls),
        subject=subject,
        artifact_type=document.artifact_type or (config.media_type if config else ""),
        annotations=document.annotations,
        config=config.digest if config else "",
    )


def _part(item: _Descriptor) -> Part:
    platform = item.platform or {}
    words = [str(platform.get(key, "")) for key in ("os", "architecture", "variant")]
    return Part(item.digest, item.size, item.media_type, "/".join(filter(None, words)))
