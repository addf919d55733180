"""Networks: list, inspect, create, connect, disconnect, remove, prune."""

from argosy.api.answer import Answer, empty, json
from argosy.api.convert import networks as convert
from argosy.api.filters import parse_filters
from argosy.api.ports import NetworkStore
from argosy.api.request import Request
from argosy.api.table import Route
from argosy.base.errors import InvalidParameterError
from argosy.schema.networks import BandwidthBody, ConnectBody, DisconnectBody, NetworkBody

_BOOLEANS = frozenset(("", "1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False"))
"""What Go's strconv.ParseBool takes, and nothing at all."""


class NetworkRoutes:
    def __init__(self, networks: NetworkStore) -> None:
        self._networks = networks

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/networks", self.list_),
            Route("GET", "/networks/", self.list_),
            Route("GET", "/ports", self.ports),
            Route("POST", "/networks/create", self.create),
            Route("POST", "/networks/prune", self.prune),
            Route("GET", "/networks/{id:.*}", self.inspect),
            Route("POST", "/networks/{id:.*}/connect", self.connect),
            Route("POST", "/networks/{id:.*}/disconnect", self.disconnect),
            Route("POST", "/networks/{id:.*}/bandwidth", self.bandwidth),
            Route("DELETE", "/networks/{id:.*}", self.remove),
        ]

    async def list_(self, request: Request) -> Answer:
        views = await self._networks.list_(parse_filters(request.text("filters")))
        return json([convert.network(view, request.version, detailed=False) for view in views])

    async def inspect(self, request: Request) -> Answer:
        verbose = request.text("verbose")
        if verbose not in _BOOLEANS:
            raise InvalidParameterError(f'invalid value for verbose: {verbose}: strconv.ParseBool: parsing "{verbose}": invalid syntax')
        view = await self._networks.inspect(request.parts["id"], verbose=request.flag("verbose"), scope=request.text("scope"))
        return json(convert.network(view, request.version, detailed=True))

    async def create(self, request: Request) -> Answer:
        body = await request.json(NetworkBody)
        identifier, warning = await self._networks.create(convert.create_request(body))
        return json({"Id": identifier, "Warning": warning}, 201)

    async def connect(self, request: Request) -> Answer:
        body = await request.json(ConnectBody)
        if not body.container:
            raise InvalidParameterError('invalid name or ID supplied: ""')
        await self._networks.connect(request.parts["id"], body.container, convert.endpoint_settings(body.endpoint_config))
        return empty(200)

    async def disconnect(self, request: Request) -> Answer:
        body = await request.json(DisconnectBody)
        await self._networks.disconnect(request.parts["id"], body.container, force=body.force)
        return empty(200)

    async def bandwidth(self, request: Request) -> Answer:
        """Our own: change how much a container may receive and send here."""
        body = await request.json(BandwidthBody)
        await self._networks.limit(request.parts["id"], body.container, down=body.down, up=body.up)
        return empty(200)

    async def ports(self, request: Request) -> Answer:
        """Our own: every published port and who can reach it."""
        return json(convert.audit(self._networks.audit()))

    async def remove(self, request: Request) -> Answer:
        await self._networks.remove(request.parts["id"])
        return empty()

    async def prune(self, request: Request) -> Answer:
        deleted = await self._networks.prune(parse_filters(request.text("filters")))
        return json({"NetworksDeleted": deleted or None})
