"""Indexes (manifest lists): what one names, and what is kept of it beside images."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from argosy.base.errors import InvalidParameterError, NotFoundError
from argosy.images import platforms
from argosy.oci.descriptor import INDEXES, Descriptor, Index, Manifest

_NESTED = 4
Read = Callable[[str], bytes]
"""Returns a blob by digest. Raises NotFoundError."""


@dataclass(frozen=True, slots=True)
class Tree:
    """An index with those nested in it."""

    digest: str
    media_type: str
    documents: tuple[str, ...]
    """Digests of the indexes themselves, the root first."""
    manifests: tuple[Descriptor, ...]
    """What they name, in their order: images, attestations, other artifacts."""
    artifacts: tuple[str, ...]
    """Digests of the blobs that are here of what is no image: an attestation's manifest, configuration and statements."""

    def names(self, manifest: str) -> bool:
        """Return whether it leads to a manifest."""
        return any(entry.digest == manifest for entry in self.manifests)

    def describes(self, manifest: str) -> Descriptor | None:
        """Return what it says of a manifest."""
        return next((entry for entry in self.manifests if entry.digest == manifest), None)


def read(digest: str, blob: Read) -> Tree:
    """Return an index out of its blobs. Raises NotFoundError when the root is gone, InvalidParameterError when it is none."""
    documents: dict[str, None] = {}
    manifests: dict[str, Descriptor] = {}
    root = _decoded(digest, blob(digest))
    _walk(digest, root, blob, documents, manifests, 0)
    artifacts: dict[str, None] = {}
    for entry in manifests.values():
        artifacts |= dict.fromkeys(_artifact(entry, blob))
    media_type = root.media_type or INDEXES[0]
    return Tree(digest, media_type, tuple(documents), tuple(manifests.values()), tuple(artifacts))


def _walk(digest: str, index: Index, blob: Read, documents: dict[str, None], manifests: dict[str, Descriptor], depth: int) -> None:
    documents[digest] = None
    for entry in index.manifests:
        if entry.media_type not in INDEXES:
            manifests.setdefault(entry.digest, entry)
        elif depth < _NESTED and entry.digest not in documents:
            try:
                nested = _decoded(entry.digest, blob(entry.digest))
            except NotFoundError:
                continue
            _walk(entry.digest, nested, blob, documents, manifests, depth + 1)


def _artifact(entry: Descriptor, blob: Read) -> tuple[str, ...]:
    """Return the blobs of a manifest that is here and is no image's."""
    try:
        manifest = msgspec.json.decode(blob(entry.digest), type=Manifest)
    except (NotFoundError, msgspec.DecodeError):
        return ()
    return () if is_image(entry, manifest) else (entry.digest, *parts(manifest))


def parts(manifest: Manifest) -> tuple[str, ...]:
    """Return the digests of a manifest's configuration and layers."""
    return (manifest.config.digest, *(layer.digest for layer in manifest.layers))


def is_image(entry: Descriptor, manifest: Manifest) -> bool:
    """Return whether a manifest is an image's: attestations and other artifacts have a configuration that is none."""
    return not platforms.is_attestation(entry) and "image" in manifest.config.media_type


def _decoded(digest: str, data: bytes) -> Index:
    try:
        return msgspec.json.decode(data, type=Index)
    except msgspec.DecodeError as error:
        raise InvalidParameterError(f"invalid index {digest}: {error}") from error
