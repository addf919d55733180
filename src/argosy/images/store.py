"""The images of a host: what the engine needs (`engine.ports.Images`) and what the API offers (`api.ports.ImageStore`)."""

import asyncio
import dataclasses
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from argosy.base.clock import Clock
from argosy.base.errors import ArgosyError, ConflictError, InvalidParameterError
from argosy.base.events import EventBus
from argosy.base.tasks import Supervisor
from argosy.images import attestations, details, listing
from argosy.images.catalog import Catalog
from argosy.images.compose import Composer, import_reference
from argosy.images.distribution.credentials import ANONYMOUS, Credentials
from argosy.images.distribution.origins import Origins
from argosy.images.distribution.settings import RegistrySettings
from argosy.images.load import Loader, event_attributes
from argosy.images.manifests import descriptor, summaries, wire
from argosy.images.model import Changes, CommitRequest, HistoryEntry, ImageDetail, ImageSummary, ImageView
from argosy.images.record import Image
from argosy.images.registries import Progress, Registries
from argosy.images.remove import Remover
from argosy.images.save import Saver, Selection, select
from argosy.images.using import User, Users, nobody
from argosy.images.watermarks import Candidate, choose
from argosy.oci.config import Config
from argosy.oci.image import ImageConfig
from argosy.oci.reference import Reference, repository_and_tag
from argosy.storage import gc
from argosy.storage.content import Content, discard
from argosy.storage.database import Database
from argosy.storage.snapshots import Snapshots
from argosy.storage.space import named

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver

_HOUR = 3600 * 1_000_000_000
_GRACE = 600 * 1_000_000_000
"""How long after its last use an image is safe from `ImageStore.give_up`: who has just got one is about to run it."""

Filters = Mapping[str, Sequence[str]]


class ImageStore:
    """Everything below it is open already; `open` comes before the first use. ``users`` says which containers use an image;
    the engine, which is made later, may set it by `used_by`. ``kept``: chain IDs that somebody else needs (the build cache)."""

    def __init__(
        self,
        *,
        db: Database,
        content: Content,
        snapshots: Snapshots,
        events: EventBus,
        clock: Clock,
        scratch: Path,
        changes: Changes,
        supervisor: Supervisor,
        users: Users = nobody,
        registries: RegistrySettings = RegistrySettings(),  # noqa: B008  # frozen
        resolver: "Callable[[], AbstractResolver] | None" = None,
        kept: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self._change = changes
        self._content = content
        self._snapshots = snapshots
        self._layers = snapshots.layers
        self._events = events
        self._clock = clock
        self._users = users
        self._kept = kept
        self._scratch = scratch
        self._collecting = asyncio.Lock()
        self._recent: dict[str, int] = {}
        self.catalog = Catalog(db=db, content=content, layers=self._layers)
        parts: dict[str, Any] = {"catalog": self.catalog, "content": content, "events": events, "clock": clock, "scratch": scratch}
        self._loader = Loader(layers=self._layers, **parts)
        self._composer = Composer(snapshots=snapshots, changes=changes, **parts)
        self._origins = Origins(db)
        self.registries = Registries(
            catalog=self.catalog,
            content=content,
            layers=self._layers,
            origins=self._origins,
            events=events,
            clock=clock,
            supervisor=supervisor,
            settings=registries,
            resolver=resolver,
        )
        self._saver = Saver(content=content, layers=self._layers, clock=clock)
        self._remover = Remover(catalog=self.catalog, events=events, users=self._users_of, collect=self._collect)

    async def open(self) -> None:
        """Learn the images and remove every layer and blob that none of them needs: what a crash left."""
        self._scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.catalog.open()
        await self.catalog.forget_broken()
        await self._collect()

    def used_by(self, users: Users) -> None:
        """Tell who knows which containers use an image."""
        self._users = users

    # ------------------------------------------------------------ for the engine

    async def resolve(self, reference: str, platform: str = "") -> ImageView:
        """Return the image by name, id, id prefix or digest. Raises NotFoundError ``No such image: x:latest``,
        ConflictError on an ambiguous prefix."""
        image = self.catalog.for_platform(self.catalog.find(reference), reference, platform)
        self._recent[image.id] = self._clock.now_ns()
        return image.view

    def view(self, image_id: str) -> ImageView | None:
        """Return a known image by its full id at once, None when it is gone."""
        image = self.catalog.get(image_id)
        return image.view if image is not None else None

    def display_name(self, image_id: str, reference: str) -> str:
        """Return how ``ps`` names it now: the reference while it still points there, else the id."""
        if not reference:
            return image_id
        try:
            found = self.catalog.find(reference)
        except ArgosyError:
            return image_id
        return reference if image_id in self.catalog.family(found.id) else image_id

    def descendants(self, reference: str) -> frozenset[str]:
        """Return the ids of the image and of all images built on it; empty when it is unknown."""
        try:
            todo = [self.catalog.find(reference).id]
        except ArgosyError:
            return frozenset()
        found: set[str] = set()
        while todo:
            image_id = todo.pop()
            if image_id not in found:
                found.add(image_id)
                todo += [*self.catalog.children(image_id), *self.catalog.family(image_id)]
        return frozenset(found)

    def changed(self, config: Config, changes: Sequence[str]) -> Config:
        return self._change(config, changes)

    async def commit(self, request: CommitRequest) -> str:
        """Add the snapshot's diff as one layer to the container's image; return the new image's id."""
        with named(self._scratch.parent, "committing the container"):
            return await self._composer.commit(request)

    async def pull(
        self, reference: str, *, platform: str = "", auth: Credentials = ANONYMOUS, progress: Progress = lambda message: None
    ) -> ImageView:
        """Pull one image from its registry and return it; ``progress`` is told Docker's messages. See `Registries.pull_image`."""
        return await self.registries.pull_image(reference, platform=platform, auth=auth, progress=progress)

    # ------------------------------------------------------------ for builds

    def find(self, text: str, platform: str = "") -> Image:
        """Return the image by name, id, id prefix or digest, of its index that for ``platform``. Raises NotFoundError."""
        return self.catalog.for_platform(self.catalog.find(text), text, platform)

    async def add_built(self, config: ImageConfig, *, base: Image | None, references: Sequence[Reference]) -> str:
        """Record an image whose layers are there; return its id. Its names are moved to it."""
        return await self._composer.built(config, base=base, references=references)

    def layer_chains(self) -> frozenset[str]:
        """Return the chain IDs of all layers that images have."""
        return frozenset(chain for image in self.catalog.all().values() for chain in image.chains)

    def needed_chains(self) -> frozenset[str]:
        """Return the chain IDs of all layers that images, containers and work in progress need."""
        above = {chain: layer.parent for chain, layer in self._layers.all().items()}
        return frozenset(gc.with_parents([*self.catalog.chains(), *self._snapshots.parents(), *self._layers.leases.held()], above))

    async def collect(self) -> int:
        """Remove the layers and blobs that nothing needs any more; return the bytes freed."""
        before = self.disk_usage()
        await self._collect()
        return max(0, before - self.disk_usage())

    # ------------------------------------------------------------ for the API

    async def list_(self, *, all: bool, filters: Filters, shared_size: bool = False, manifests: bool = False) -> list[ImageSummary]:
        """Newest first. Raises InvalidParameterError on an unknown filter, NotFoundError on an unknown before or since."""
        chosen = listing.choose(self.catalog, all=all, filters=filters, now=self._clock.now_ns())
        found = listing.summaries(chosen, layers=self._layers, users=self._used, shared_size=shared_size, catalog=self.catalog)
        return [self._described(summary, image, manifests=manifests) for summary, (image, _) in zip(found, chosen)]

    async def inspect(self, ref: str, *, platform: str = "", manifests: bool = False) -> ImageDetail:
        """Raises InvalidParameterError when both are asked for: the manifests of one platform are one."""
        if platform and manifests:
            raise InvalidParameterError("conflicting options: manifests and platform options cannot both be set")
        image = self.catalog.for_platform(self.catalog.find(ref), ref, platform)
        return details.detail(
            image,
            catalog=self.catalog,
            snapshots=self._snapshots,
            descriptor=wire(descriptor(image, self._content, whole=not platform)),
            manifests=self._manifests(image) if manifests else (),
        )

    async def attestations(self, ref: str, *, platform: str, types: Collection[str], whole: bool) -> list[Mapping[str, Any]]:
        """Return the statements about an image; see `attestations.statements`."""
        image = self.catalog.for_platform(self.catalog.find(ref), ref, platform)
        return await asyncio.to_thread(attestations.statements, image, self._content, types=types, whole=whole)

    async def history(self, ref: str, *, platform: str = "") -> list[HistoryEntry]:
        image = self.catalog.for_platform(self.catalog.find(ref), ref, platform)
        return details.history(image, catalog=self.catalog, snapshots=self._snapshots)

    async def tag(self, ref: str, repo: str, tag: str) -> None:
        """Raises NotFoundError, InvalidParameterError in Docker's words."""
        name = repository_and_tag(repo, tag)
        image = self.catalog.find(ref)
        await self.catalog.add(image.id, msgspec.structs.replace(image.record, last_tagged=self._clock.now_ns()), [name])
        self._events.publish("image", "tag", image.id, event_attributes(image.config, name.familiar))

    async def remove(self, ref: str, *, force: bool, prune: bool, platforms: Sequence[str] = ()) -> list[Mapping[str, str]]:
        """Return ``[{"Untagged": …}, {"Deleted": …}]`` in Docker's order; with ``platforms`` only those of the image go."""
        if platforms:
            return await self._remover.remove_platforms(ref, platforms, force=force)
        return await self._remover.remove(ref, force=force, prune=prune)

    async def load(self, body: AsyncIterator[bytes], *, quiet: bool, platform: str = "") -> AsyncIterator[Mapping[str, Any]]:
        """Yield progress messages of the JSON stream (``{"stream": "Loaded image: x:latest\\n"}``)."""
        return self._named("loading the images", self._loader.load(body, quiet=quiet, platform=platform))

    async def save(self, refs: Sequence[str], *, platform: str = "") -> AsyncIterator[bytes]:
        """Raises NotFoundError before anything is sent."""
        chosen = select(self.catalog, refs, platform)
        return self._saving(chosen)

    async def import_(
        self, body: AsyncIterator[bytes], *, repo: str, tag: str, message: str, changes: Sequence[str], platform: str
    ) -> AsyncIterator[Mapping[str, Any]]:
        """Raises InvalidParameterError on a bad name before the body is read; yields ``{"status": id}``."""
        reference = import_reference(repo, tag)
        importing = self._composer.import_(body, reference=reference, message=message, changes=changes, platform=platform)
        return self._named("importing the image", importing)

    async def prune(self, filters: Filters) -> tuple[list[Mapping[str, str]], int]:
        """Remove dangling images (or, with ``dangling=false``, all that no container uses) and unfinished
        downloads; return the images and the bytes freed."""
        listing.check_filters(filters, {"dangling", "label", "label!", "until"})
        only_dangling = listing.flag(filters, "dangling", True)
        kept = {key: value for key, value in filters.items() if key != "dangling"}
        before = self.disk_usage()
        done: list[Mapping[str, str]] = []
        for image, names in listing.choose(self.catalog, all=True, filters=kept, now=self._clock.now_ns()):
            if self.catalog.get(image.id) is None or self._used(image.id) or self.catalog.children(image.id):
                continue
            if names and only_dangling:
                continue
            done += await self._drop(image.id, names)
        return done, max(0, before - self.disk_usage()) + self._content.drop_unfinished()

    async def note_use(self) -> None:
        """Write down when images were last used. To the hour: it orders images by age, and need not cost a write a container."""
        now = self._clock.now_ns()
        for image_id in list(self.catalog.all()):
            if self._used(image_id):
                self._recent[image_id] = now
        late = {
            image_id: used
            for image_id, used in self._recent.items()
            if self.catalog.get(image_id) is not None and used - self.catalog.uses.get(image_id, 0) >= _HOUR
        }
        if late:
            await self.catalog.note_uses(late)
        self._recent = {image_id: used for image_id, used in self._recent.items() if now - used < _HOUR}

    async def give_up(self, need: int) -> int:
        """Remove images that no container uses, least recently used first, until ``need`` bytes come free; return how many did."""
        before = self.disk_usage()
        images = self.catalog.all()
        parts = {image_id: self._parts(image) for image_id, image in images.items()}
        shown = [image_id for image_id in images if self.catalog.head(image_id) == image_id]
        free = [image_id for image_id in shown if not self._used(image_id) and not self.catalog.children(image_id)]
        grace = self._clock.now_ns() - _GRACE
        candidates = [Candidate(image_id, self._last_use(images[image_id]), parts[image_id]) for image_id in free]
        candidates = [candidate for candidate in candidates if candidate.last_used < grace]
        going = {image_id for candidate in candidates for image_id in self.catalog.family(candidate.image)}
        above = {chain: layer.parent for chain, layer in self._layers.all().items()}
        held = gc.with_parents([*self._snapshots.parents(), *self._kept()], above)
        held |= {part for image_id, found in parts.items() if image_id not in going for part in found}
        for image_id in choose(candidates, held=held, need=need):
            await self._drop(image_id, self.catalog.references(image_id))
        return max(0, before - self.disk_usage())

    async def usage(self) -> list[ImageSummary]:
        """Return what `list_` does, with sizes that count the kept blobs too: what is an image's, and what of it others have as well."""
        chosen = listing.choose(self.catalog, all=False, filters={}, now=self._clock.now_ns())
        found = listing.summaries(chosen, layers=self._layers, users=self._used, shared_size=False, catalog=self.catalog)
        parts = {image_id: self._parts(image) for image_id, image in self.catalog.all().items() if self.catalog.head(image_id) == image_id}
        owners = Counter(part for owned in parts.values() for part in owned)
        return [
            dataclasses.replace(
                summary,
                size=sum(parts[summary.id].values()),
                shared_size=sum(size for part, size in parts[summary.id].items() if owners[part] > 1),
            )
            for summary in found
        ]

    def layers_size(self) -> int:
        """Return the bytes of what images and containers need: layers, each once, and the blobs kept beside them.

        What only the build cache needs is counted there.
        """
        return sum(self._layers.get(chain).size for chain in self.needed_chains()) + self._content.total()

    def disk_usage(self) -> int:
        """Return the bytes of all layers, each once, and of the blobs kept beside them."""
        return sum(layer.size for layer in self._layers.all().values()) + self._content.total()

    # ------------------------------------------------------------

    async def _named(self, act: str, messages: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[Mapping[str, Any]]:
        with named(self._scratch.parent, act):
            async for message in messages:
                yield message

    async def _drop(self, image_id: str, names: Sequence[Reference]) -> list[Mapping[str, str]]:
        """Remove an image and its names without force; nothing if a container or a child came meanwhile."""
        done: list[Mapping[str, str]] = []
        try:
            for name in names:
                done += await self._remover.remove(str(name) if name.digest else name.familiar, force=False, prune=True)
            if not names:
                done += await self._remover.remove(image_id, force=False, prune=True)
        except ConflictError:
            return done
        return done

    def _described(self, summary: ImageSummary, image: Image, *, manifests: bool) -> ImageSummary:
        told = wire(descriptor(image, self._content))
        return dataclasses.replace(summary, descriptor=told, manifests=self._manifests(image) if manifests else None)

    def _manifests(self, image: Image) -> tuple[Mapping[str, Any], ...]:
        def containers(image_id: str) -> list[str]:
            return [user.container for user in self._users(image_id)]

        return tuple(summaries(image, catalog=self.catalog, content=self._content, containers=containers))

    def _parts(self, image: Image) -> dict[str, int]:
        """Return layers and blobs of an image and of those that go with it."""
        family = [one for image_id in self.catalog.family(image.id) if (one := self.catalog.get(image_id)) is not None]
        return {part: size for one in family for part, size in self._own_parts(one).items()}

    def _own_parts(self, image: Image) -> dict[str, int]:
        blobs = {digest: self._content.size(digest) for digest in self.catalog.blobs_of(image) if self._content.has(digest)}
        return {**{chain: self._layers.get(chain).size for chain in image.chains}, **blobs}

    def _last_use(self, image: Image) -> int:
        record = image.record
        return max(record.arrived, record.last_tagged, self.catalog.uses.get(image.id, 0), self._recent.get(image.id, 0))

    def _users_of(self, image_id: str) -> Sequence[User]:
        return self._users(image_id)

    def _used(self, image_id: str) -> list[User]:
        """Return who uses an image or one that hides behind it."""
        return [user for one in self.catalog.family(image_id) for user in self._users(one)]

    async def _collect(self) -> list[str]:
        async with self._collecting:
            roots = [*self.catalog.chains(), *self._snapshots.parents(), *self._kept()]
            gone = self._layers.collect(roots)
            if gone:
                left = {layer.diff_id for layer in self._layers.all().values()}
                await self._origins.forget({layer.diff_id for layer in gone} - left)
            if blobs := self._content.collect(self.catalog.blobs()):
                await asyncio.to_thread(discard, blobs)
        return [layer.chain_id for layer in gone]

    async def _saving(self, chosen: Sequence[Selection]) -> AsyncIterator[bytes]:
        keys = [image.chain for selection in chosen for image in selection.images if image.chain is not None]
        blobs = [digest for selection in chosen for image in selection.images for digest in self.catalog.blobs_of(image)]
        with self._layers.leases.hold(*keys), self._content.leases.hold(*blobs):
            async for chunk in self._saver.save(chosen):
                yield chunk
        for selection in chosen:
            image = selection.image
            self._events.publish("image", "save", image.id, event_attributes(image.config, image.id))
