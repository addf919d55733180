"""Containers as things: create, list, inspect, update, rename, remove, prune, commit."""

import msgspec

from argosy.api.answer import Answer, empty, json, raw_json
from argosy.api.convert.containers import Encodings
from argosy.api.convert.create import container_config, create_request
from argosy.api.filters import parse_filters
from argosy.api.ports import Containers
from argosy.api.request import Request
from argosy.api.table import Route
from argosy.base.clock import Clock
from argosy.base.errors import InvalidParameterError
from argosy.engine.model import HostConfig
from argosy.schema.containers import Config, CreateBody, UpdateBody


class ContainerRoutes:
    def __init__(self, containers: Containers, clock: Clock) -> None:
        self._containers = containers
        self._clock = clock
        self._encodings = Encodings()

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/containers/json", self.list_),
            Route("GET", "/containers/{id}/json", self.inspect),
            Route("POST", "/containers/create", self.create),
            Route("POST", "/containers/prune", self.prune),
            Route("POST", "/containers/{id}/update", self.update),
            Route("POST", "/containers/{id}/rename", self.rename),
            # A link is named ``container/alias``.
            Route("DELETE", "/containers/{id:.*}", self.remove),
            Route("POST", "/commit", self.commit),
        ]

    async def list_(self, request: Request) -> Answer:
        filters = parse_filters(request.text("filters"))
        for name in ("since", "before"):
            # Query parameters of API 1.24 that became filters.
            if request.text(name):
                filters.setdefault(name, [request.text(name)])
        limit = request.number("limit", 0) or 0
        size, everything = request.flag("size"), request.flag("all")
        views = await self._containers.list_(all=everything, limit=max(limit, 0), size=size, filters=filters)
        return raw_json(self._encodings.summaries(views, request.version, self._clock.now_ns()))

    async def inspect(self, request: Request) -> Answer:
        view = await self._containers.inspect(request.parts["id"], size=request.flag("size"))
        return raw_json(self._encodings.inspect(view, request.version))

    async def create(self, request: Request) -> Answer:
        body = await request.json(CreateBody)
        wanted, warnings = create_request(
            body, name=request.text("name").removeprefix("/"), platform=request.text("platform"), version=request.version
        )
        if body == _NO_CONFIG:
            raise InvalidParameterError("config cannot be empty in order to create a container")
        created = await self._containers.create(wanted)
        return json({"Id": created.id, "Warnings": [*created.warnings, *warnings]}, 201)

    async def update(self, request: Request) -> Answer:
        body, sent = await request.json_with_fields(UpdateBody, optional=True)
        policy = body.restart_policy
        values = msgspec.convert(body, HostConfig, from_attributes=True) if policy else _host_of(body)
        changes = {name: getattr(values, name) for name in sent}
        if request.version >= 42:
            changes.pop("kernel_memory", None)
        if request.version >= 52:
            changes.pop("kernel_memory_tcp", None)
        if changes.get("pids_limit", 1) == 0:
            changes["pids_limit"] = -1
        warnings = await self._containers.update(request.parts["id"], changes)
        return json({"Warnings": list(warnings) or None})

    async def rename(self, request: Request) -> Answer:
        name = request.text("name").removeprefix("/")
        if not name:
            raise InvalidParameterError("Neither old nor new names may be empty")
        await self._containers.rename(request.parts["id"], name)
        return empty()

    async def remove(self, request: Request) -> Answer:
        await self._containers.remove(
            request.parts["id"], force=request.flag("force"), volumes=request.flag("v"), link=request.flag("link")
        )
        return empty()

    async def prune(self, request: Request) -> Answer:
        deleted, reclaimed = await self._containers.prune(parse_filters(request.text("filters")))
        return json({"ContainersDeleted": deleted or None, "SpaceReclaimed": reclaimed})

    async def commit(self, request: Request) -> Answer:
        config, sent = await request.json_with_fields(Config, optional=True)
        container = request.text("container")
        if not container:
            raise InvalidParameterError('invalid name or ID supplied: ""')
        image = await self._containers.commit(
            container,
            repo=request.text("repo"),
            tag=request.text("tag"),
            comment=request.text("comment"),
            author=request.text("author"),
            pause=request.flag("pause", default=True),
            changes=request.texts("changes"),
            config=container_config(config) if sent else None,
        )
        return json({"Id": image}, 201)


_NO_CONFIG = CreateBody()


def _host_of(body: UpdateBody) -> HostConfig:
    fields = {field.name: getattr(body, field.name) for field in msgspec.structs.fields(UpdateBody) if field.name != "restart_policy"}
    return msgspec.convert(fields, HostConfig, from_attributes=True)
