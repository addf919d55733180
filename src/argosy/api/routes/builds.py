"""Builds: ``POST /build`` with the classic builder's stream, the build cache, and the two connections of BuildKit's clients."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from argosy.api.answer import JSON, Answer, Gone, Stream, json
from argosy.api.convert.build import build_request
from argosy.api.errors import message_of
from argosy.api.filters import parse_filters
from argosy.api.ports import Builder, BuildKit
from argosy.api.request import Request
from argosy.api.sending import closing
from argosy.api.table import Route
from argosy.base.errors import InvalidParameterError

_SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"


class BuildRoutes:
    def __init__(self, builder: Builder, buildkit: BuildKit) -> None:
        self._builder = builder
        self._buildkit = buildkit

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/build", self.build, follows_client=True),
            Route("POST", "/build/cancel", self.cancel),
            Route("POST", "/build/prune", self.prune),
            Route("POST", "/session", self.session),
            Route("POST", "/grpc", self.grpc),
        ]

    async def build(self, request: Request) -> Answer | Gone:
        return await _send(request, self._builder.build(build_request(request), request.chunks()))

    async def cancel(self, request: Request) -> Answer:
        build_id = request.text("id")
        if not build_id:
            raise InvalidParameterError("build ID not provided")
        await self._builder.cancel(build_id)
        return Answer(200)

    async def grpc(self, request: Request) -> Answer | Gone:
        """The client calls us on this connection."""
        _check_upgrade(request)
        await self._buildkit.load()
        self._buildkit.serve(*await _upgraded(request))
        return Gone()

    async def session(self, request: Request) -> Answer | Gone:
        """We call the client on this connection, the methods that its headers name (buildkit ``session/manager.go``)."""
        _check_upgrade(request)
        id = request.headers.get("X-Docker-Expose-Session-Uuid", "")
        if not id:
            raise InvalidParameterError("a session needs an id: X-Docker-Expose-Session-Uuid")
        methods = request.headers.getall("X-Docker-Expose-Session-Grpc-Method", [])
        await self._buildkit.load()
        shared_key = request.headers.get("X-Docker-Expose-Session-Sharedkey", "")
        self._buildkit.open_session(id, methods, shared_key, *await _upgraded(request))
        return Gone()

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


def _check_upgrade(request: Request) -> None:
    """Raises InvalidParameterError when the client does not ask for HTTP/2."""
    if "Upgrade" not in request.headers:
        raise InvalidParameterError("no upgrade proto in request")
    proto = request.headers["Upgrade"]
    if proto != "h2c":
        raise InvalidParameterError(f"protocol {proto} not supported")


async def _upgraded(request: Request) -> tuple[asyncio.Transport, bytes]:
    """Leave HTTP/1.1; what follows is HTTP/2, in which either side is the server. Raises ConnectionError."""
    transport, early = await request.connection.leave(_SWITCHED)
    transport.set_write_buffer_limits()
    return transport, early
