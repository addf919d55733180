"""``/v2/``, tags and the catalogue."""

import asyncio

from argosy.registry.auth.grant import PULL
from argosy.registry.errors import name_unknown
from argosy.registry.http.answer import Answer, AnyAnswer, json
from argosy.registry.http.request import Request
from argosy.registry.names import Target
from argosy.registry.paging import page_of, wanted
from argosy.registry.storage.catalogue import repositories
from argosy.registry.storage.layout import Layout
from argosy.registry.storage.manifests import Manifests

_CATALOGUE_PAGE = 1000


class ListHandlers:
    def __init__(self, *, layout: Layout, manifests: Manifests) -> None:
        self._layout = layout
        self._manifests = manifests

    async def base(self, request: Request, target: Target) -> AnyAnswer:
        return Answer(200, b"{}", {"Content-Type": "application/json"})

    async def tags(self, request: Request, target: Target) -> AnyAnswer:
        n = wanted(request.query("n"))
        if not await asyncio.to_thread(self._manifests.exists, target.name):
            raise name_unknown(target.name)
        tags = await asyncio.to_thread(self._manifests.tags, target.name)
        page = page_of(tags, n=n, last=request.query("last"), path=request.path)
        return json({"name": target.name, "tags": page.items}, {"Link": page.link} if page.link else None)

    async def catalogue(self, request: Request, target: Target) -> AnyAnswer:
        n = wanted(request.query("n"))
        names = await asyncio.to_thread(repositories, self._layout)
        readable = [name for name in names if request.allows(name, PULL)]
        page = page_of(readable, n=_CATALOGUE_PAGE if n is None else n, last=request.query("last"), path=request.path)
        return json({"repositories": page.items}, {"Link": page.link} if page.link else None)
