"""``docker save``: images as an OCI layout that older Dockers read too (``manifest.json``, ``repositories``).

The blobs are those that came: a kept blob is copied, a layer without one is made again from its tree, byte for byte.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from argosy.base.clock import Clock
from argosy.base.errors import NotFoundError, SystemFailureError
from argosy.images.catalog import Catalog
from argosy.images.manifests import descriptor
from argosy.images.record import Image
from argosy.oci.descriptor import CONTAINERD_NAME_ANNOTATION, NAME_ANNOTATION, OCI_INDEX, Descriptor, Index
from argosy.oci.reference import Reference, parse
from argosy.storage.archive import header
from argosy.storage.archive.entry import BLOCK, DIRECTORY, Entry
from argosy.storage.content import Content
from argosy.storage.layers import Layers

_CHUNK = 1 << 20


@dataclass(slots=True)
class Selection:
    """An image and the names under which it is saved."""

    image: Image
    others: tuple[Image, ...] = ()
    """What is here of its index besides."""
    whole: bool = True
    """With its index, where it has one."""
    names: list[Reference] = field(default_factory=list)

    @property
    def images(self) -> tuple[Image, ...]:
        return (self.image, *self.others)


def select(catalog: Catalog, refs: Sequence[str], platform: str = "") -> list[Selection]:
    """Return what ``refs`` ask for, each image once. A repository without tag means all its tags.

    ``platform`` asks for that one of an index alone. Raises NotFoundError ``No such image: x``, and in Docker's words where
    an image is not for the platform.
    """
    chosen: dict[str, Selection] = {}
    for text in refs:
        image, names = _one(catalog, text)
        for one in image:
            selection = chosen.setdefault(one.id, _selection(catalog, one, text, platform))
            selection.names += [name for name in names if _names_it(catalog, name, one) and name not in selection.names]
    return list(chosen.values())


def _selection(catalog: Catalog, image: Image, text: str, platform: str) -> Selection:
    if platform:
        return Selection(catalog.for_platform(image, text, platform), whole=False)
    if image.index is None:
        return Selection(image)
    found = (catalog.by_manifest(entry.digest) for entry in image.index.manifests)
    return Selection(image, tuple(one for one in found if one is not None and one.id != image.id))


def _one(catalog: Catalog, text: str) -> tuple[list[Image], list[Reference]]:
    try:
        reference = parse(text)
    except Exception:
        return [catalog.find(text)], []
    if not reference.tag and not reference.digest:
        all_tags = [name for name in catalog.references_by_name(reference.name) if name.tag]
        if all_tags:
            images = {image.id: image for name in all_tags if (image := catalog.named(name)) is not None}
            return list(images.values()), all_tags
        try:
            return [catalog.find(text)], []
        except NotFoundError:
            raise NotFoundError(f"No such image: {text}") from None
    image = catalog.find(text)
    return [image], [reference] if reference.tag and not reference.digest else []


def _names_it(catalog: Catalog, name: Reference, image: Image) -> bool:
    named = catalog.named(name)
    return named is not None and named.id == image.id


class Saver:
    def __init__(self, *, content: Content, layers: Layers, clock: Clock) -> None:
        self._content = content
        self._layers = layers
        self._clock = clock

    async def save(self, chosen: Sequence[Selection]) -> AsyncIterator[bytes]:
        """Yield the archive. Raises SystemFailureError when a layer turns out to be damaged."""
        now = self._clock.now_ns() // 10**9 * 10**9
        yield _directory("blobs/", now) + _directory("blobs/sha256/", now)
        written: set[str] = set()
        for selection in chosen:
            for digest, size, layer in self._blobs(selection):
                if digest not in written:
                    written.add(digest)
                    yield header.encode(Entry(_blob(digest).encode(), size=size, mtime=now))
                    async for chunk in self._content_of(digest, size, layer):
                        yield chunk
                    if size % BLOCK:
                        yield bytes(-size % BLOCK)
        for name, value in _documents(chosen, self._content).items():
            data = msgspec.json.encode(value) + b"\n" * (name == "manifest.json" or name == "repositories")
            yield header.encode(Entry(name.encode(), size=len(data))) + data + bytes(-len(data) % BLOCK)
        yield header.END

    def _blobs(self, selection: Selection) -> list[tuple[str, int, str | None]]:
        """Return (digest, size, chain ID of the layer to make it from if there is no blob)."""
        found = [blob for image in selection.images for blob in self._blobs_of(image)]
        if selection.whole and (index := selection.image.index) is not None:
            kept = (*index.artifacts, *index.documents)
            found += [(digest, self._content.size(digest), None) for digest in kept if self._content.has(digest)]
        return found

    def _blobs_of(self, image: Image) -> list[tuple[str, int, str | None]]:
        found: list[tuple[str, int, str | None]] = []
        for blob, chain in zip(image.manifest.layers, image.chains):
            layer = self._layers.get(chain)
            again = blob.digest == layer.diff_id and layer.recipe
            found.append((blob.digest, layer.tar_size if again else blob.size, chain if again else None))
        found.append((image.id, self._content.size(image.id), None))
        found.append((image.record.manifest, self._content.size(image.record.manifest), None))
        return found

    async def _content_of(self, digest: str, size: int, chain: str | None) -> AsyncIterator[bytes]:
        count = 0
        source = self._layers.tar(chain) if chain is not None and not self._content.has(digest) else self._blob(digest)
        async for chunk in source:
            count += len(chunk)
            yield chunk
        if count != size:
            raise SystemFailureError(f"blob {digest} has {count} bytes, {size} were expected")

    async def _blob(self, digest: str) -> AsyncIterator[bytes]:
        fd = self._content.open_blob(digest)
        try:
            while chunk := await asyncio.to_thread(os.read, fd, _CHUNK):
                yield chunk
        finally:
            os.close(fd)


def _documents(chosen: Sequence[Selection], content: Content) -> dict[str, Any]:
    index: list[Descriptor] = []
    manifest: list[dict[str, Any]] = []
    repositories: dict[str, dict[str, str]] = {}
    for selection in chosen:
        image = selection.image
        root = descriptor(image, content, whole=selection.whole)
        for name in selection.names:
            annotations = {CONTAINERD_NAME_ANNOTATION: str(name), NAME_ANNOTATION: name.tag}
            index.append(msgspec.structs.replace(root, annotations=annotations))
            if image.manifest.layers:
                repositories.setdefault(name.familiar_name, {})[name.tag] = image.manifest.layers[-1].digest.partition(":")[2]
        if not selection.names:
            index.append(root)
        manifest.append(
            {
                "Config": _blob(image.id),
                "RepoTags": [name.familiar for name in selection.names] or None,
                "Layers": [_blob(layer.digest) for layer in image.manifest.layers],
                "LayerSources": {
                    diff_id: {"mediaType": layer.media_type, "size": layer.size, "digest": layer.digest}
                    for diff_id, layer in sorted(zip(image.config.diff_ids, image.manifest.layers), key=lambda pair: pair[0])
                },
            }
        )
    documents: dict[str, Any] = {
        "index.json": Index(schema_version=2, media_type=OCI_INDEX, manifests=tuple(index)),
        "manifest.json": manifest,
        "oci-layout": msgspec.Raw(b'{"imageLayoutVersion": "1.0.0"}'),
    }
    if repositories:
        documents["repositories"] = repositories
    return documents


def _blob(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/", 1)


def _directory(name: str, mtime: int) -> bytes:
    return header.encode(Entry(name.encode(), DIRECTORY, mode=0o755, mtime=mtime))
