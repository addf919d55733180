"""``docker pull``: one tag or digest, or all tags of a repository."""

from dataclasses import dataclass

from argosy.base.errors import ArgosyError, NotFoundError
from argosy.base.events import EventBus
from argosy.images.catalog import Catalog
from argosy.images.distribution import connect, endpoints, failures, platforms, resolve
from argosy.images.distribution.credentials import Credentials
from argosy.images.distribution.http import Http
from argosy.images.distribution.origins import Origins
from argosy.images.distribution.platforms import Platform
from argosy.images.distribution.progress import Watch
from argosy.images.distribution.repository import Repository
from argosy.images.distribution.resolve import Target
from argosy.images.distribution.settings import RegistrySettings
from argosy.images.distribution.shared import Shared
from argosy.images.distribution.tokens import Tokens
from argosy.images.distribution.work import Fetcher
from argosy.images.load import event_attributes
from argosy.images.record import Image
from argosy.oci.reference import Reference


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
        events: EventBus,
        http: Http,
        tokens: Tokens,
        fetcher: Fetcher,
        works: Shared[str],
        origins: Origins,
        settings: RegistrySettings,
    ) -> None:
        self._catalog = catalog
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
        if here is not None and _platform_of(here) == platforms.normalise(wanted):
            # What the registry has under the name is here already.
            watch({"status": f"Pulling from {reference.path}", "id": reference.digest or reference.tag})
            if before is None or before.id != here.id:
                here, _ = await self._catalog.add(here.id, here.record, [name])
        else:
            found = await resolve.named(repository, reference, digest)
            digest = found.digest
            watch({"status": f"Pulling from {reference.path}", "id": reference.digest or reference.tag})
            target = await resolve.choose(repository, found, reference, wanted)
            names = (name, Reference(reference.domain, reference.path, "", digest))
            here = await self._image(repository, target, names, watch)
        watch({"status": f"Digest: {digest}"})
        return Pulled(here, before is None or before.id != here.id)

    async def _image(self, repository: Repository, target: Target, names: tuple[Reference, ...], watch: Watch) -> Image:
        """Return the image with these names: the one that is here, or fetched."""
        known = self._catalog.get(target.manifest.config.digest)
        if known is None:
            known = await self._fetched(repository, target, names, watch)
        await self._origins.learn(repository.origin, dict(zip(known.config.diff_ids, target.manifest.layers)))
        missing = [name for name in names if (found := self._catalog.named(name)) is None or found.id != known.id]
        if missing:
            known, _ = await self._catalog.add(known.id, known.record, missing)
        return known

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
        own = _platform_of(image)
        if platform is not None and not platforms.fits(own, platform):
            watch(
                {
                    "status": f"WARNING: image with reference {reference.familiar} was found but its platform ({own}) "
                    f"does not match the specified platform ({platform})"
                }
            )


def _platform_of(image: Image) -> Platform:
    return platforms.normalise(Platform(image.config.os or "linux", image.config.architecture, image.config.variant))
