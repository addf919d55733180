"""``docker pull``: one tag or digest, or all tags of a repository."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from argosy.base.errors import ArgosyError, NotFoundError
from argosy.base.events import EventBus
from argosy.images import platforms
from argosy.images.catalog import Catalog
from argosy.images.distribution import connect, endpoints, failures, resolve
from argosy.images.distribution.credentials import Credentials
from argosy.images.distribution.http import Http
from argosy.images.distribution.origins import Origins
from argosy.images.distribution.progress import Watch
from argosy.images.distribution.repository import Repository
from argosy.images.distribution.resolve import Target
from argosy.images.distribution.settings import RegistrySettings
from argosy.images.distribution.shared import Shared
from argosy.images.distribution.tokens import Tokens
from argosy.images.distribution.work import Fetcher
from argosy.images.load import event_attributes
from argosy.images.platforms import Platform
from argosy.images.record import Image
from argosy.oci.reference import Reference
from argosy.storage.content import Content


@dataclass(frozen=True, slots=True)
class Pulled:
    image: Image
    updated: bool
    """The name was not this image's before."""


class Puller:
    def __init__(
        self,
        *,
        catalog: Catalog,
        content: Content,
        events: EventBus,
        http: Http,
        tokens: Tokens,
        fetcher: Fetcher,
        works: Shared[str],
        origins: Origins,
        settings: RegistrySettings,
    ) -> None:
        self._catalog = catalog
        self._content = content
        self._events = events
        self._http = http
        self._tokens = tokens
        self._fetcher = fetcher
        self._works = works
        self._origins = origins
        self._settings = settings
        self._names: dict[str, dict[str, Reference]] = {}

    async def pull(
        self, reference: Reference, *, all_tags: bool = False, platform: Platform | None, credentials: Credentials, watch: Watch
    ) -> Image | None:
        """Pull and tell how it goes in Docker's messages; return the image (the last of all tags, None if there are none).

        Raises error kinds in Docker's words; whatever was complete by then stays, nothing half-made does.
        """
        async with self._http.using():
            failed: ArgosyError | None = None
            candidates = endpoints.for_pull(reference.domain, self._settings)
            try:
                async for session in connect.sessions(self._http, candidates, tokens=self._tokens, credentials=credentials):
                    repository = Repository(session, reference, settings=self._settings)
                    try:
                        return await self._from(repository, reference, all_tags=all_tags, platform=platform, watch=watch)
                    except ArgosyError as error:
                        failed = error
                        if not session.endpoint.mirror:
                            break
            except ArgosyError as error:
                failed = failed or error
            raise failures.of_pull(failed or NotFoundError(f"no endpoint serves {reference}"), reference) from failed

    async def _from(
        self, repository: Repository, reference: Reference, *, all_tags: bool, platform: Platform | None, watch: Watch
    ) -> Image | None:
        updated = False
        image: Image | None = None
        references = [reference]
        if all_tags:
            references = [reference.with_tag(tag) for tag in await repository.tags()]
        for one in references:
            pulled = await self._one(repository, one, platform, watch)
            updated, image = updated or pulled.updated, pulled.image
        words = "Downloaded newer image" if updated else "Image is up to date"
        watch({"status": f"Status: {words} for {reference.familiar}"})
        if image is not None:
            self._warn(image, reference, platform, watch)
            self._events.publish("image", "pull", reference.familiar, event_attributes(image.config, reference.familiar_name))
        return image

    async def _one(self, repository: Repository, reference: Reference, platform: Platform | None, watch: Watch) -> Pulled:
        digest = await resolve.digest_of(repository, reference)
        name = reference if not reference.digest else Reference(reference.domain, reference.path, "", reference.digest)
        before = self._catalog.named(name)
        here = self._catalog.named(Reference(reference.domain, reference.path, "", digest)) if digest else None
        wanted = platform or platforms.host()
        here = self._of(here, wanted) if here is not None else None
        if here is not None:
            # What the registry has under the name is here already.
            watch({"status": f"Pulling from {reference.path}", "id": reference.digest or reference.tag})
            if before is None or not self._alike(before, here):
                here, _ = await self._catalog.add(here.id, here.record, [name], settle=True)
        else:
            found = await resolve.named(repository, reference, digest)
            digest = found.digest
            watch({"status": f"Pulling from {reference.path}", "id": reference.digest or reference.tag})
            target = await resolve.choose(repository, found, reference, wanted)
            names = (name, Reference(reference.domain, reference.path, "", digest))
            here = await self._image(repository, target, names, watch)
        watch({"status": f"Digest: {digest}"})
        return Pulled(here, before is None or not self._alike(before, here))

    def _of(self, image: Image, wanted: Platform) -> Image | None:
        """Return the image, or the one of its index, that is for the platform; None when it is not here."""
        if platforms.normalise(image.platform) == platforms.normalise(wanted):
            return image
        try:
            return self._catalog.for_platform(image, "", str(wanted))
        except NotFoundError:
            return None

    def _alike(self, one: Image, other: Image) -> bool:
        """Return whether users see one image in both."""
        return self._catalog.head(one.id) == self._catalog.head(other.id)

    async def _image(self, repository: Repository, target: Target, names: tuple[Reference, ...], watch: Watch) -> Image:
        """Return the image, which has these names or stands behind one that has: the one that is here, or fetched."""
        known = self._catalog.get(target.manifest.config.digest)
        if known is None:
            known = await self._fetched(repository, target, names, watch)
        await self._origins.learn(repository.origin, dict(zip(known.config.diff_ids, target.manifest.layers)))
        missing = [name for name in names if (found := self._catalog.named(name)) is None or not self._alike(found, known)]
        if missing or (target.index and target.index != known.record.index):
            known = await self._named(known, target, missing)
        return known

    async def _named(self, image: Image, target: Target, names: Sequence[Reference]) -> Image:
        """Give an image that is here names, and the index by which it was found this time."""
        with self._content.leases.hold(*(index.digest for index in target.indexes)):
            for index in target.indexes:
                await self._content.put(index.data, index.digest)
            record = msgspec.structs.replace(image.record, index=target.index or image.record.index)
            image, _ = await self._catalog.add(image.id, record, names, settle=True)
        return image

    async def _fetched(self, repository: Repository, target: Target, names: tuple[Reference, ...], watch: Watch) -> Image:
        key = target.fetched.digest
        wanted = self._names.setdefault(key, {})
        mine = {str(name): name for name in names if str(name) not in wanted}
        wanted.update(mine)
        try:
            image_id = await self._works.join(key, watch, lambda board: self._fetcher.fetch(repository, target, wanted, board))
        finally:
            for name in mine:
                wanted.pop(name, None)
            if not wanted:
                self._names.pop(key, None)
        image = self._catalog.get(image_id)
        if image is None:
            raise NotFoundError(f"No such image: {image_id}")
        return image

    def _warn(self, image: Image, reference: Reference, platform: Platform | None, watch: Watch) -> None:
        own = platforms.normalise(image.platform)
        if platform is not None and not platforms.fits(own, platform):
            watch(
                {
                    "status": f"WARNING: image with reference {reference.familiar} was found but its platform ({own}) "
                    f"does not match the specified platform ({platform})"
                }
            )
