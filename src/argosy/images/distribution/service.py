"""The door of this package: pull, push, login, search, a look at a manifest. Imported when a registry is first needed."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from argosy.base.clock import Clock
from argosy.base.events import EventBus
from argosy.base.tasks import Supervisor
from argosy.images.catalog import Catalog
from argosy.images.distribution import login, proxies, remote, search
from argosy.images.distribution.credentials import Credentials
from argosy.images.distribution.downloads import Downloads
from argosy.images.distribution.http import Http
from argosy.images.distribution.origins import Origins
from argosy.images.distribution.pull import Puller
from argosy.images.distribution.push import Pusher
from argosy.images.distribution.settings import RegistrySettings
from argosy.images.distribution.shared import Shared
from argosy.images.distribution.tokens import Tokens
from argosy.images.distribution.upload import Uploads
from argosy.images.distribution.work import Fetcher
from argosy.oci.reference import Reference
from argosy.storage.content import Content
from argosy.storage.layers import Layers

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver


class Distribution:
    """Its parts, wired. ``resolver`` makes what resolves names, where the host's own will not do (tests)."""

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
        http = Http(settings=settings, proxies=proxies.find(settings, os.environ), resolver=resolver)
        tokens = Tokens(clock)
        downloads = Downloads(content=content, supervisor=supervisor, clock=clock, settings=settings)
        fetcher = Fetcher(catalog=catalog, content=content, layers=layers, downloads=downloads, clock=clock)
        self.puller = Puller(
            catalog=catalog,
            content=content,
            events=events,
            http=http,
            tokens=tokens,
            fetcher=fetcher,
            works=Shared(supervisor=supervisor, clock=clock),
            origins=origins,
            settings=settings,
        )
        self.pusher = Pusher(
            catalog=catalog,
            content=content,
            layers=layers,
            origins=origins,
            events=events,
            clock=clock,
            http=http,
            tokens=tokens,
            uploads=Uploads(content=content, layers=layers, origins=origins, settings=settings),
            settings=settings,
        )
        self._http = http
        self._tokens = tokens
        self._settings = settings

    async def login(self, credentials: Credentials) -> str:
        """See `login.login`."""
        return await login.login(credentials, http=self._http, tokens=self._tokens, settings=self._settings)

    async def search(
        self, term: str, *, limit: int | None, filters: Mapping[str, Sequence[str]], credentials: Credentials
    ) -> list[Mapping[str, Any]]:
        """See `search.search`."""
        return await search.search(term, limit=limit, filters=filters, credentials=credentials, http=self._http, settings=self._settings)

    async def look(self, reference: Reference, *, credentials: Credentials) -> Mapping[str, Any]:
        """See `remote.look`."""
        return await remote.look(reference, credentials=credentials, http=self._http, tokens=self._tokens, settings=self._settings)
