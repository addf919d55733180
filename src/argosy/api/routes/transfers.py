"""Images that come and go: pull, load, import, save. Progress is a stream of JSON messages, late errors are ``errorDetail``."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from argosy.api.answer import JSON, Answer, Gone, Stream
from argosy.api.errors import message_of
from argosy.api.platforms import parse_platform
from argosy.api.ports import ImageStore, Registries
from argosy.api.request import Request
from argosy.api.sending import closing, send_pieces
from argosy.api.table import Route
from argosy.base.errors import InvalidParameterError, NotImplementedInArgosyError


class TransferRoutes:
    def __init__(self, images: ImageStore, registries: Registries) -> None:
        self._images = images
        self._registries = registries

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/images/load", self.load),
            Route("POST", "/images/create", self.create, follows_client=True),
            Route("GET", "/images/get", self.save_many),
            Route("GET", "/images/{name:.*}/get", self.save_one),
        ]

    async def load(self, request: Request) -> Answer | Gone:
        progress = self._load(request, _platform(request))
        return await send_progress(request, progress, status_first=True)

    async def _load(self, request: Request, platform: str) -> AsyncIterator[Mapping[str, Any]]:
        async with closing(await self._images.load(request.chunks(), quiet=request.flag("quiet"), platform=platform)) as progress:
            async for message in progress:
                yield message

    async def create(self, request: Request) -> Answer | Gone:
        if name := request.text("fromImage"):
            return await self._pull(request, name)
        source = request.text("fromSrc")
        if not source:
            raise InvalidParameterError("neither fromImage nor fromSrc is given")
        if source != "-":
            raise NotImplementedInArgosyError(f"importing from {source} is not served: fetch it and pipe it in (docker import -)")
        progress = await self._images.import_(
            request.chunks(),
            repo=request.text("repo"),
            tag=request.text("tag"),
            message=request.text("message"),
            changes=request.texts("changes"),
            platform=parse_platform(request.text("platform")),
        )
        return await send_progress(request, progress)

    async def _pull(self, request: Request, name: str) -> Answer | Gone:
        messages = await self._registries.pull(
            name,
            request.text("tag"),
            platform=parse_platform(request.text("platform")),
            auth=request.headers.get("X-Registry-Auth", ""),
        )
        return await send_progress(request, messages)

    async def save_one(self, request: Request) -> Answer | Gone:
        return await self._save(request, [request.parts["name"]])

    async def save_many(self, request: Request) -> Answer | Gone:
        names = request.texts("names")
        if not names:
            raise InvalidParameterError("no image names were given")
        return await self._save(request, names)

    async def _save(self, request: Request, names: Sequence[str]) -> Answer | Gone:
        pieces = await self._images.save(names, platform=_platform(request))
        return await send_pieces(request, pieces, "application/x-tar")


def _platform(request: Request) -> str:
    return parse_platform(request.text("platform")) if request.version >= 48 else ""


async def send_progress(request: Request, progress: AsyncIterator[Mapping[str, Any]], *, status_first: bool = False) -> Gone:
    """Send messages as they come; an error after the first is a message too, because the status is already out.

    ``status_first``: every error is one (moby ``postImagesLoad``; docker-py looks for it there).
    """
    stream = Stream(request)
    try:
        async with closing(progress):
            async for message in progress:
                if not request.answering:
                    stream.start(JSON)
                await stream.write_json(message)
    except ConnectionError:
        raise
    except Exception as error:
        if not request.answering:
            if not status_first:
                raise
            stream.start(JSON)
        words = message_of(error)
        await stream.write_json({"errorDetail": {"message": words}, "error": words})
    if not request.answering:
        stream.start(JSON)
    return await stream.done()
