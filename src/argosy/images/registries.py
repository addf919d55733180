"""Registries as the API and the builder use them. Light: what speaks to registries is imported when it is first needed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from argosy.base.clock import Clock
from argosy.base.events import EventBus
from argosy.base.tasks import Supervisor
from argosy.images.catalog import Catalog
from argosy.images.distribution.credentials import ANONYMOUS, Credentials, from_document, from_header
from argosy.images.distribution.origins import Origins
from argosy.images.distribution.settings import RegistrySettings
from argosy.images.model import ImageView
from argosy.oci import digest as digests
from argosy.oci.reference import Reference, parse
from argosy.storage import space
from argosy.storage.content import Content
from argosy.storage.layers import Layers
from argosy.storage.space import NoSpaceError

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver

    from argosy.images.distribution.service import Distribution

Messages = AsyncIterator[Mapping[str, Any]]
Progress = Callable[[Mapping[str, Any]], None]


class Registries:
    def __init__(
        self,
        *,
        catalog: Catalog,
        content: Content,
        layers: Layers,
        origins: Origins,
        events: EventBus,
        clock: Clock,
        supervisor: Supervisor,
        settings: RegistrySettings,
        resolver: "Callable[[], AbstractResolver] | None" = None,
    ) -> None:
        self._parts: dict[str, Any] = {
            "catalog": catalog,
            "content": content,
            "layers": layers,
            "origins": origins,
            "events": events,
            "clock": clock,
            "supervisor": supervisor,
            "settings": settings,
            "resolver": resolver,
        }
        self._made: Distribution | None = None
        self._making = asyncio.Lock()

    def reconfigure(self, settings: RegistrySettings) -> None:
        """Use other settings from the next request on; what runs goes on with those it began with."""
        self._parts["settings"] = settings
        self._made = None

    async def pull(self, name: str, tag: str, *, platform: str, auth: str) -> Messages:
        """Return Docker's messages of a pull; without tag and digest it is one of all tags.

        ``auth``: the value of ``X-Registry-Auth``. Raises InvalidParameterError on a bad name or platform at once; the
        messages raise the other kinds.
        """
        reference = named(name, tag)
        every = not reference.tag and not reference.digest
        wanted = _platform(platform)
        distribution = await self._distribution()

        async def work(watch: Progress) -> None:
            with self._room():
                await distribution.puller.pull(reference, all_tags=every, platform=wanted, credentials=from_header(auth), watch=watch)

        return _streamed(work)

    async def push(self, name: str, tag: str, *, platform: str, auth: str) -> Messages:
        """Return Docker's messages of a push; without tag it is one of all tags. Raises InvalidParameterError on a bad name at once."""
        reference = named(name, tag)
        distribution = await self._distribution()

        async def work(watch: Progress) -> None:
            await distribution.pusher.push(reference, platform=platform, credentials=from_header(auth), watch=watch)

        return _streamed(work)

    async def login(self, document: Mapping[str, Any]) -> Mapping[str, str]:
        """Return the API's ``Status`` and ``IdentityToken``. Raises UnauthorizedError, SystemFailureError."""
        token = await (await self._distribution()).login(from_document(document))
        return {"IdentityToken": token, "Status": "Login Succeeded"}

    async def search(self, term: str, *, limit: int | None, filters: Mapping[str, Sequence[str]], auth: str) -> list[Mapping[str, Any]]:
        distribution = await self._distribution()
        return await distribution.search(term, limit=limit, filters=filters, credentials=from_header(auth))

    async def distribution(self, name: str, *, auth: str) -> Mapping[str, Any]:
        """Return the API's ``Descriptor`` and ``Platforms``. Raises kinds in Docker's words."""
        reference = parse(name).tagged()
        return await (await self._distribution()).look(reference, credentials=from_header(auth))

    async def pull_image(
        self, reference: str, *, platform: str = "", auth: Credentials = ANONYMOUS, progress: Progress = lambda message: None
    ) -> ImageView:
        """Pull one image (``latest`` where no tag is given), telling ``progress`` Docker's messages, and return it."""
        distribution = await self._distribution()
        with self._room():
            image = await distribution.puller.pull(
                parse(reference).tagged(), platform=_platform(platform), credentials=auth, watch=progress
            )
        assert image is not None
        return image.view

    @contextmanager
    def _room(self) -> Iterator[None]:
        """A pull that a full disk ended gives back what its other layers had got so far, instead of keeping it to be continued."""
        content: Content = self._parts["content"]
        try:
            with space.named(content.root, "pulling the image"):
                yield
        except NoSpaceError:
            content.drop_unfinished()
            raise

    async def _distribution(self) -> "Distribution":
        async with self._making:
            if self._made is None:
                kind = await asyncio.to_thread(_load)
                self._made = kind(**self._parts)
        return self._made


def _load() -> "type[Distribution]":
    from argosy.images.distribution.service import Distribution

    return Distribution


def named(name: str, tag: str) -> Reference:
    """Return what ``fromImage`` and ``tag`` name; ``tag`` may be a digest. Raises InvalidParameterError."""
    reference = parse(name)
    if not tag:
        return reference
    if digests.is_digest(tag):
        return reference.with_digest(tag)
    if ":" in tag:
        digests.split(tag)
    return reference.with_tag(tag)


def _platform(text: str) -> Any:
    from argosy.images import platforms

    return platforms.parse(text) if text else None


def _streamed(work: Callable[[Progress], Coroutine[Any, Any, None]]) -> Messages:
    from argosy.images.distribution.progress import stream

    return stream(work)
