"""Volumes: list, inspect, create, remove, prune; updates are for cluster volumes only."""

from argosy.api.answer import Answer, empty, json
from argosy.api.convert.volumes import volume
from argosy.api.filters import parse_filters
from argosy.api.ports import VolumeStore
from argosy.api.request import Request
from argosy.api.table import Route
from argosy.base.errors import UnavailableError
from argosy.schema.volumes import VolumeBody


class VolumeRoutes:
    def __init__(self, volumes: VolumeStore) -> None:
        self._volumes = volumes

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/volumes", self.list_),
            Route("POST", "/volumes/create", self.create),
            Route("POST", "/volumes/prune", self.prune),
            Route("GET", "/volumes/{name:.*}", self.inspect),
            Route("PUT", "/volumes/{name:.*}", self.update),
            Route("DELETE", "/volumes/{name:.*}", self.remove),
        ]

    async def list_(self, request: Request) -> Answer:
        views, warnings = await self._volumes.list_(parse_filters(request.text("filters")))
        return json({"Volumes": [volume(view) for view in views], "Warnings": warnings or None})

    async def inspect(self, request: Request) -> Answer:
        return json(volume(await self._volumes.inspect(request.parts["name"])))

    async def create(self, request: Request) -> Answer:
        body = await request.json(VolumeBody, optional=True)
        if body.cluster_volume_spec is not None:
            raise UnavailableError("cluster volumes need a swarm, and this node is not in one")
        view = await self._volumes.create(body.name, body.driver or "local", body.driver_opts, body.labels)
        return json(volume(view), 201)

    async def update(self, request: Request) -> Answer:
        raise UnavailableError("volume update only valid for cluster volumes, but swarm is unavailable")

    async def remove(self, request: Request) -> Answer:
        await self._volumes.remove(request.parts["name"], force=request.flag("force"))
        return empty()

    async def prune(self, request: Request) -> Answer:
        filters = parse_filters(request.text("filters"))
        if request.version < 42:
            # Then named volumes were pruned too.
            filters["all"] = ["true"]
        deleted, reclaimed = await self._volumes.prune(filters)
        return json({"SpaceReclaimed": reclaimed, "VolumesDeleted": list(deleted)})
