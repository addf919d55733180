"""Files of a container: archive (GET, PUT, HEAD) and export."""

import base64

import msgspec

from argosy.api.answer import Answer, Gone
from argosy.api.ports import Containers
from argosy.api.request import Request
from argosy.api.sending import send_pieces
from argosy.api.table import Route
from argosy.base.errors import InvalidParameterError

_TAR = "application/x-tar"


class ArchiveRoutes:
    def __init__(self, containers: Containers) -> None:
        self._containers = containers

    def routes(self) -> list[Route]:
        return [
            Route("HEAD", "/containers/{id}/archive", self.stat),
            Route("GET", "/containers/{id}/archive", self.get),
            Route("PUT", "/containers/{id}/archive", self.put),
            Route("GET", "/containers/{id}/export", self.export, follows_client=True),
        ]

    async def stat(self, request: Request) -> Answer:
        stat = await self._containers.archive_stat(request.parts["id"], _path(request))
        return Answer(200, headers={"X-Docker-Container-Path-Stat": _encoded(stat)})

    async def get(self, request: Request) -> Answer | Gone:
        stat, pieces = await self._containers.archive_get(request.parts["id"], _path(request))
        return await send_pieces(request, pieces, _TAR, {"X-Docker-Container-Path-Stat": _encoded(stat)})

    async def put(self, request: Request) -> Answer:
        await self._containers.archive_put(
            request.parts["id"],
            _path(request),
            request.chunks(),
            no_overwrite_dir_non_dir=request.flag("noOverwriteDirNonDir"),
            copy_uid_gid=request.flag("copyUIDGID"),
        )
        return Answer(200)

    async def export(self, request: Request) -> Answer | Gone:
        pieces = await self._containers.export(request.parts["id"])
        return await send_pieces(request, pieces, "application/octet-stream")


def _path(request: Request) -> str:
    path = request.text("path")
    if not path:
        raise InvalidParameterError("bad parameter: path cannot be empty")
    return path


def _encoded(stat: object) -> str:
    return base64.b64encode(msgspec.json.encode(stat)).decode()
