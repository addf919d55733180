"""Images as things: list, inspect, history, tag, remove, prune."""

from argosy.api.answer import Answer, empty, json
from argosy.api.convert import images as convert
from argosy.api.filters import parse_filters
from argosy.api.platforms import parse_platform
from argosy.api.ports import ImageStore
from argosy.api.request import Request
from argosy.api.table import Route
from argosy.base.errors import InvalidParameterError


class ImageRoutes:
    def __init__(self, images: ImageStore) -> None:
        self._images = images

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/images/json", self.list_),
            Route("POST", "/images/prune", self.prune),
            Route("GET", "/images/{name:.*}/history", self.history),
            Route("GET", "/images/{name:.*}/json", self.inspect),
            Route("GET", "/images/{name:.*}/attestations", self.attestations),
            Route("POST", "/images/{name:.*}/tag", self.tag),
            Route("DELETE", "/images/{name:.*}", self.remove),
        ]

    async def list_(self, request: Request) -> Answer:
        filters = parse_filters(request.text("filters"))
        if request.version <= 40 and request.text("filter"):
            filters.setdefault("reference", []).append(request.text("filter"))
        images = await self._images.list_(
            all=request.flag("all"),
            filters=filters,
            shared_size=request.version >= 42 and request.flag("shared-size"),
            manifests=request.version >= 47 and request.flag("manifests"),
        )
        return json([convert.summary(image, request.version) for image in images])

    async def inspect(self, request: Request) -> Answer:
        platform = parse_platform(request.text("platform")) if request.version >= 49 else ""
        manifests = request.version >= 48 and request.flag("manifests")
        image = await self._images.inspect(request.parts["name"], platform=platform, manifests=manifests)
        return json(convert.inspect(image, request.version))

    async def attestations(self, request: Request) -> Answer:
        asked = request.texts("platform")
        if len(asked) > 1:
            raise InvalidParameterError("multiple platforms are not supported")
        found = await self._images.attestations(
            request.parts["name"],
            platform=parse_platform(asked[0]) if asked else "",
            types=request.texts("type"),
            whole=request.flag("statement"),
        )
        return json(found)

    async def history(self, request: Request) -> Answer:
        platform = parse_platform(request.text("platform")) if request.version >= 48 else ""
        entries = await self._images.history(request.parts["name"], platform=platform)
        return json([convert.history(entry) for entry in entries])

    async def tag(self, request: Request) -> Answer:
        await self._images.tag(request.parts["name"], request.text("repo"), request.text("tag"))
        return empty(201)

    async def remove(self, request: Request) -> Answer:
        wanted = [parse_platform(text) for text in request.texts("platforms")] if request.version >= 50 else []
        removed = await self._images.remove(
            request.parts["name"], force=request.flag("force"), prune=not request.flag("noprune"), platforms=wanted
        )
        return json(removed)

    async def prune(self, request: Request) -> Answer:
        deleted, reclaimed = await self._images.prune(parse_filters(request.text("filters")))
        return json({"ImagesDeleted": deleted or None, "SpaceReclaimed": reclaimed})
