"""What needs a registry and is no pull: login, search, push, manifests of remote images."""

from typing import Any

import msgspec

from argosy.api.answer import Answer, Gone, json
from argosy.api.filters import parse_filters
from argosy.api.platforms import parse_platform
from argosy.api.ports import Registries
from argosy.api.request import JSON_LIMIT, Request, check_json_type
from argosy.api.routes.transfers import send_progress
from argosy.api.table import Route
from argosy.base.errors import InvalidParameterError


class RegistryRoutes:
    def __init__(self, registries: Registries) -> None:
        self._registries = registries

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/auth", self.login),
            Route("GET", "/images/search", self.search),
            Route("POST", "/images/{name:.*}/push", self.push, follows_client=True),
            Route("GET", "/distribution/{name:.*}/json", self.distribution),
        ]

    async def login(self, request: Request) -> Answer:
        check_json_type(request.headers.get("Content-Type", ""))
        try:
            document = msgspec.json.decode(await request.body(JSON_LIMIT), type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise InvalidParameterError(f"invalid JSON: {error}") from None
        return json(await self._registries.login(document))

    async def search(self, request: Request) -> Answer:
        found = await self._registries.search(
            request.text("term"), limit=request.number("limit"), filters=parse_filters(request.text("filters")), auth=_auth(request)
        )
        return json(found)

    async def push(self, request: Request) -> Answer | Gone:
        platform = parse_platform(request.text("platform")) if request.version >= 46 else ""
        messages = await self._registries.push(request.parts["name"], request.text("tag"), platform=platform, auth=_auth(request))
        return await send_progress(request, messages)

    async def distribution(self, request: Request) -> Answer:
        return json(await self._registries.distribution(request.parts["name"], auth=_auth(request)))


def _auth(request: Request) -> str:
    return request.headers.get("X-Registry-Auth", "")
