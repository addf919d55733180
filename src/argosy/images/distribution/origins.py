"""Which blob a layer is in a registry, and which repositories have it: kept in ``state.db``, by diff ID.

Knowledge, not promise: a push asks the registry all the same. It finds a layer again by HEAD, mounts it from another repository,
and sends for what was built here the same manifest twice (moby ``distribution/metadata/v2_metadata_service.go``).
"""

from collections.abc import Iterable, Mapping

import msgspec

from argosy.oci.descriptor import Descriptor
from argosy.storage.database import Database

KIND = "layer-blob"
_SOURCES = 20
_FORMS = 5


class Origin(msgspec.Struct, frozen=True, omit_defaults=True):
    """One form of a layer."""

    digest: str
    size: int
    media_type: str
    made_here: bool = False
    """It is what our compression makes of the layer."""
    sources: tuple[str, ...] = ()
    """Repositories with their registry, ``docker.io/library/nginx``, last seen first."""


_DECODER = msgspec.json.Decoder(tuple[Origin, ...])


class Origins:
    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[str, tuple[Origin, ...]] | None = None

    async def of(self, diff_id: str) -> tuple[Origin, ...]:
        """Return the forms of a layer that are known, last seen first."""
        return (await self._read()).get(diff_id, ())

    async def sources(self, diff_id: str, digest: str) -> tuple[str, ...]:
        """Return the repositories that are known to have a layer in the form ``digest``."""
        return next((origin.sources for origin in await self.of(diff_id) if origin.digest == digest), ())

    async def learn(self, source: str, layers: Mapping[str, Descriptor], *, made_here: Iterable[str] = ()) -> None:
        """Remember that a repository has these blobs, by diff ID."""
        known = await self._read()
        ours = set(made_here)
        for diff_id, layer in layers.items():
            before = known.get(diff_id, ())
            after = _learnt(before, layer, source, diff_id in ours)
            if after != before:
                known[diff_id] = after
                await self._db.put(KIND, diff_id, msgspec.json.encode(after))

    async def forget(self, diff_ids: Iterable[str]) -> None:
        """Drop what is known of layers that are not here any more."""
        known = await self._read()
        for diff_id in diff_ids:
            if known.pop(diff_id, None) is not None:
                await self._db.delete(KIND, diff_id)

    async def _read(self) -> dict[str, tuple[Origin, ...]]:
        if self._known is None:
            self._known = {diff_id: _DECODER.decode(value) for diff_id, value in self._db.load(KIND).items()}
        return self._known


def _learnt(before: tuple[Origin, ...], layer: Descriptor, source: str, made_here: bool) -> tuple[Origin, ...]:
    old = next((origin for origin in before if origin.digest == layer.digest), None)
    sources = (source, *(one for one in (old.sources if old is not None else ()) if one != source))[:_SOURCES]
    ours = made_here or (old is not None and old.made_here)
    new = Origin(layer.digest, layer.size, layer.media_type, ours, sources)
    rest = [origin for origin in before if origin.digest != layer.digest]
    if made_here:
        # What we make now is what we shall make: an older compressor's work is another's.
        rest = [msgspec.structs.replace(origin, made_here=False) for origin in rest]
    return (new, *rest)[:_FORMS]
