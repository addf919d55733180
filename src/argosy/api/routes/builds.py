"""Builds: ``POST /build`` with the classic builder's stream, the build cache, and where BuildKit's clients are told the way out."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from argosy.api.answer import JSON, Answer, Gone, Stream, json
from argosy.api.convert.build import build_request
from argosy.api.errors import message_of
from argosy.api.filters import parse_filters
from argosy.api.ports import Builder
from argosy.api.request import Request
from argosy.api.sending import closing
from argosy.api.table import Route
from argosy.base.errors import InvalidParameterError, NotImplementedInArgosyError


class BuildRoutes:
    def __init__(self, builder: Builder) -> None:
        self._builder = builder

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/build", self.build, follows_client=True),
            Route("POST", "/build/cancel", self.cancel),
            Route("POST", "/build/prune", self.prune),
            Route("POST", "/session", _no_buildkit),
            Route("POST", "/grpc", _no_buildkit),
        ]

    async def build(self, request: Request) -> Answer | Gone:
        return await _send(request, self._builder.build(build_request(request), request.chunks()))

    async def cancel(self, request: Request) -> Answer:
        build_id = request.text("id")
        if not build_id:
            raise InvalidParameterError("build ID not provided")
        await self._builder.cancel(build_id)
        return Answer(200)

    async def prune(self, request: Request) -> Answer:
        removed, freed = await self._builder.prune(
            filters=parse_filters(request.text("filters")),
            all=request.flag("all"),
            # Its name before 1.48.
            reserved=request.number("reserved-space") or request.number("keep-storage") or 0,
            maximum=request.number("max-used-space") or 0,
            free=request.number("min-free-space") or 0,
        )
        return json({"CachesDeleted": removed or None, "SpaceReclaimed": freed})


async def _send(request: Request, messages: AsyncIterator[Mapping[str, Any]]) -> Gone:
    """Send messages as they come; a failing command's exit code goes with its words."""
    stream = Stream(request)
    try:
        async with closing(messages):
            async for message in messages:
                if not request.answering:
                    stream.start(JSON)
                await stream.write_json(message)
    except ConnectionError:
        raise
    except Exception as error:
        if not request.answering:
            raise
        words = message_of(error)
        code = getattr(error, "code", 0)
        await stream.write_json({"errorDetail": {"code": code, "message": words} if code else {"message": words}, "error": words})
    return await stream.done()


async def _no_buildkit(request: Request) -> Answer:
    if "Upgrade" not in request.headers:
        raise InvalidParameterError("no upgrade proto in request")
    raise NotImplementedInArgosyError("BuildKit sessions are not served yet: set DOCKER_BUILDKIT=0, or use argosy build")
