"""The images of this host and their names: in memory for reading, in ``state.db`` for good."""

import sqlite3
from collections.abc import Iterable, Mapping

import msgspec

from argosy.base import failpoints, ids
from argosy.base.errors import ArgosyError, ConflictError, InvalidParameterError, NotFoundError
from argosy.images import platforms
from argosy.images.families import heads, stays
from argosy.images.index import Tree
from argosy.images.index import read as read_index
from argosy.images.record import IMAGES, NAMES, USES, Image, ImageRecord, NameRecord, make
from argosy.oci import digest as digests
from argosy.oci import image as oci_image
from argosy.oci.descriptor import Manifest
from argosy.oci.reference import Reference, parse
from argosy.storage import database
from argosy.storage.content import Content
from argosy.storage.database import Database
from argosy.storage.layers import Layers


class Catalog:
    """Written only through coroutines that return when the change is on the disk; memory follows the disk."""

    def __init__(self, *, db: Database, content: Content, layers: Layers) -> None:
        self._db = db
        self._content = content
        self._layers = layers
        self._images: dict[str, Image] = {}
        self._names: dict[str, NameRecord] = {}
        self._references: dict[str, Reference] = {}
        self._host = platforms.host()
        self._heads: dict[str, str] | None = None
        self.uses: dict[str, int] = {}
        self.broken: list[str] = []
        """Ids of records whose blobs or layers are gone, found at boot; they are forgotten."""

    def open(self) -> None:
        """Learn what the database knows. An image that is not whole any more is left out and listed in `broken`."""
        for image_id, value in self._db.load(IMAGES).items():
            try:
                self._images[image_id] = self.assemble(image_id, msgspec.json.decode(value, type=ImageRecord))
            except (ArgosyError, msgspec.DecodeError):
                self.broken.append(image_id)
        for name, value in self._db.load(NAMES).items():
            record = msgspec.json.decode(value, type=NameRecord)
            if record.image in self._images:
                self._set_name(name, record)

        self.uses = {image_id: int(value) for image_id, value in self._db.load(USES).items() if image_id in self._images}

    def assemble(self, image_id: str, record: ImageRecord) -> Image:
        """Return the image from its blobs. Raises NotFoundError when one, or a layer, is missing."""
        config = oci_image.decode(self._content.read(image_id))
        manifest = msgspec.json.decode(self._content.read(record.manifest), type=Manifest)
        image = make(image_id, record, config, manifest, 0)
        for chain in image.chains:
            self._layers.get(chain)
        return make(image_id, record, config, manifest, self._layers.size(image.chain), self._index(record))

    def _index(self, record: ImageRecord) -> Tree | None:
        """An index that is gone or damaged takes nothing from the image."""
        if not record.index:
            return None
        try:
            return read_index(record.index, self._content.read)
        except (NotFoundError, InvalidParameterError):
            return None

    # ------------------------------------------------------------ reading

    def all(self) -> Mapping[str, Image]:
        return self._images

    def get(self, image_id: str) -> Image | None:
        return self._images.get(image_id)

    def named(self, reference: Reference) -> Image | None:
        record = self._names.get(str(reference))
        return self._images.get(record.image) if record is not None else None

    def references(self, image_id: str) -> list[Reference]:
        """Return the names of an image, sorted."""
        return [self._references[name] for name, record in sorted(self._names.items()) if record.image == image_id]

    def references_by_name(self, name: str) -> list[Reference]:
        """Return every tag and digest of a repository (full name), sorted."""
        return [reference for text, reference in sorted(self._references.items()) if reference.name == name]

    def shown_names(self, image_id: str) -> list[Reference]:
        """Return the names by which users know it: its own, or those of the image that stands for it."""
        return self.references(image_id) or self.references(self.head(image_id))

    def head(self, image_id: str) -> str:
        """Return the id of the image that stands for it: its own, unless it hides behind another of an index."""
        return self._hidden().get(image_id, image_id)

    def family(self, image_id: str) -> list[str]:
        """Return the ids of an image and of those that hide behind it."""
        return [image_id, *(hidden for hidden, head in self._hidden().items() if head == image_id)]

    def by_manifest(self, digest: str) -> Image | None:
        """Return the image of a manifest."""
        return next((image for image in self._images.values() if image.record.manifest == digest), None)

    def for_platform(self, image: Image, text: str, platform: str) -> Image:
        """Return the image, or the one of its index, that is for ``platform`` (empty: any).

        ``text`` is what the user called it. Raises NotFoundError in Docker's words, InvalidParameterError on a malformed platform.
        """
        if not platform:
            return image
        wanted = platforms.parse(platform)
        if platforms.same(image.platform, wanted):
            return image
        if image.index is None:
            raise NotFoundError(
                f"image with reference {text} was found but its platform ({image.platform}) "
                f"does not match the specified platform ({platform})"
            )
        here = (one for entry in image.index.manifests if (one := self.by_manifest(entry.digest)) is not None)
        found = next((one for one in here if platforms.same(one.platform, wanted)), None)
        if found is None:
            raise NotFoundError(f"image with reference {text} was found but does not provide the specified platform ({platform})")
        return found

    def _hidden(self) -> dict[str, str]:
        if self._heads is None:
            named = {record.image for record in self._names.values()}
            self._heads = heads(self._images.values(), named=named.__contains__, host=self._host)
        return self._heads

    def children(self, image_id: str) -> list[str]:
        return [image.id for image in self._images.values() if image.record.parent == image_id]

    def find(self, text: str) -> Image:
        """Return the image by name, id, id prefix or digest (moby ``daemon/images.getImage``).

        Raises NotFoundError ``No such image: x:latest``, InvalidParameterError on a name that cannot be one, ConflictError on
        a prefix that several share.
        """
        digest = f"sha256:{text}" if ids.is_id(text) else text
        if digests.is_digest(digest):
            image = self._images.get(digest) or self._by_manifest(digest)
            if image is None:
                raise NotFoundError(f"No such image: {digest}")
            return image
        prefix = text.removeprefix("sha256:")
        reference = None
        if not (text.startswith("sha256:") and ids.is_id_prefix(prefix)):
            reference = parse(text)
            image = self.named(reference.tagged())
            if image is None and reference.digest:
                image = self._by_digest(reference)
            if image is not None:
                return image
        if ids.is_id_prefix(prefix):
            found = [image for image_id, image in self._images.items() if image_id.startswith(f"sha256:{prefix}")]
            if len(found) > 1:
                raise ConflictError(f"ambiguous reference: multiple images found with provided prefix: {text}")
            if found:
                return found[0]
        raise NotFoundError(f"No such image: {reference.tagged().familiar if reference is not None else text}")

    def _by_digest(self, reference: Reference) -> Image | None:
        """``name@digest``, where the digest may be a manifest's or an image id, and the name is one of the image's."""
        image = self._by_manifest(reference.digest) or self._images.get(reference.digest)
        if image is not None and any(known.name == reference.name for known in self.shown_names(image.id)):
            return image
        return None

    def _by_manifest(self, digest: str) -> Image | None:
        """Return the image of a manifest, or of the index by which it was pulled: that is a name of it."""
        if (image := self.by_manifest(digest)) is not None:
            return image
        for name, reference in self._references.items():
            if reference.digest == digest:
                return self._images.get(self._names[name].image)
        # An index that was loaded is no name.
        found = next((image for image in self._images.values() if image.record.index == digest), None)
        return self._images.get(self.head(found.id)) if found is not None else None

    # ------------------------------------------------------------ what must not be collected

    def chains(self) -> list[str]:
        return [image.chain for image in self._images.values() if image.chain is not None]

    def blobs(self) -> list[str]:
        """Return the digests that images name: configurations, manifests, layers as they came."""
        found: list[str] = []
        for image in self._images.values():
            found += self.blobs_of(image)
        return found

    def blobs_of(self, image: Image) -> list[str]:
        """Return the digests of what an image is made of, and of what is kept of its index beside images."""
        index = (*image.index.documents, *image.index.artifacts) if image.index is not None else ()
        return [image.id, image.record.manifest, *(layer.digest for layer in image.manifest.layers), *index]

    # ------------------------------------------------------------ writing

    async def add(
        self, image_id: str, record: ImageRecord, names: Iterable[Reference] = (), *, settle: bool = False
    ) -> tuple[Image, dict[str, str]]:
        """Record an image whose blobs and layers are in place, with its names; all or nothing.

        ``settle``: a name stays where `families.stays` says so. Returns the image and, for each name that pointed elsewhere
        before, the id it had.
        """
        known = self._images.get(image_id)
        names = list(names)
        if known is not None:
            record = msgspec.structs.replace(
                known.record,
                parent=record.parent or known.record.parent,
                last_tagged=max(record.last_tagged, known.record.last_tagged),
                index=record.index or known.record.index,
            )
        image = self.assemble(image_id, record)
        if settle:
            names = [name for name in names if (now := self.named(name)) is None or not stays(now, image, self._host)]
        named = {str(name): NameRecord(image_id, record.manifest) for name in names}

        def write(connection: sqlite3.Connection) -> None:
            database.put(connection, IMAGES, image_id, msgspec.json.encode(record))
            for name, value in named.items():
                database.put(connection, NAMES, name, msgspec.json.encode(value))

        failpoints.hit("images.add")
        await self._db.write(write)
        moved = {name: self._names[name].image for name in named if name in self._names and self._names[name].image != image_id}
        self._images[image_id] = image
        self._heads = None
        for name, value in named.items():
            self._set_name(name, value)
        return image, moved

    async def untag(self, reference: Reference) -> None:
        """Forget one name."""
        name = str(reference)
        await self._db.delete(NAMES, name)
        self._heads = None
        self._names.pop(name, None)
        self._references.pop(name, None)

    async def remove(self, *image_ids: str) -> None:
        """Forget images and what names they still have, all or nothing; their blobs and layers are collected afterwards."""
        names = [name for name, record in self._names.items() if record.image in image_ids]

        def write(connection: sqlite3.Connection) -> None:
            for name in names:
                database.delete(connection, NAMES, name)
            for image_id in image_ids:
                database.delete(connection, IMAGES, image_id)
                database.delete(connection, USES, image_id)

        failpoints.hit("images.remove")
        await self._db.write(write)
        self._heads = None
        for name in names:
            self._names.pop(name, None)
            self._references.pop(name, None)
        for image_id in image_ids:
            self._images.pop(image_id, None)
            self.uses.pop(image_id, None)

    async def note_uses(self, uses: Mapping[str, int]) -> None:
        """Write down when images were used. One that is removed meanwhile leaves a number that nobody reads."""
        self.uses.update(uses)

        def write(connection: sqlite3.Connection) -> None:
            for image_id, time in uses.items():
                database.put(connection, USES, image_id, b"%d" % time)

        await self._db.write(write)

    async def forget_broken(self) -> None:
        """Remove the records of images that are not whole any more."""
        for image_id in self.broken:
            await self.remove(image_id)
        self.broken.clear()

    def _set_name(self, name: str, record: NameRecord) -> None:
        self._names[name] = record
        self._references[name] = parse(name)
