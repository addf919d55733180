"""The API server: listeners → seam → connections → dispatch → routes."""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, cast
from urllib.parse import unquote

from aiohttp.web_server import Server

from argosy.api import versions
from argosy.api.answer import JSON, Answer, Gone
from argosy.api.connection import Connection
from argosy.api.errors import body_of, message_of, status_of
from argosy.api.listeners import Listener, close_listener, serve
from argosy.api.ports import Builder, BuildKit, Containers, Execs, ImageStore, NetworkStore, Registries, System, VolumeStore
from argosy.api.request import Request
from argosy.api.routes import all_routes
from argosy.api.seam import Seam
from argosy.api.table import Route, Table
from argosy.api.tls import TlsLayer
from argosy.base.clock import Clock, SystemClock
from argosy.base.tasks import Supervisor

_log = logging.getLogger(__name__)

READ_BUFFER = 1 << 20
"""Uploads are read ahead by this much, so that their consumer gets large pieces."""
_LINE_LIMIT = 1 << 20
"""Go's default bound for a request's head; filters and X-Registry-Auth grow long."""
_GRACE_SECONDS = 5.0


class ApiServer:
    """Serves the Engine API of one engine on any number of listeners."""

    def __init__(
        self,
        *,
        containers: Containers,
        execs: Execs,
        images: ImageStore,
        registries: Registries,
        networks: NetworkStore,
        volumes: VolumeStore,
        system: System,
        builder: Builder,
        buildkit: BuildKit,
        clock: Clock | None = None,
        extra_routes: Iterable[Route] = (),
    ) -> None:
        self._tasks = Supervisor()
        routes = all_routes(
            containers=containers,
            execs=execs,
            images=images,
            registries=registries,
            networks=networks,
            volumes=volumes,
            system=system,
            builder=builder,
            buildkit=buildkit,
            clock=clock or SystemClock(),
            tasks=self._tasks,
        )
        self._table = Table([*routes, *extra_routes])
        self._listeners: list[tuple[Listener, asyncio.AbstractServer]] = []
        self._waiting: set[asyncio.Transport] = set()
        self._http: Server | None = None

    @property
    def table(self) -> Table:
        return self._table

    async def listen(self, listener: Listener) -> None:
        """Begin to serve a listener (see `api.listeners.open_listeners`)."""
        http = self._make_http()
        make_connection = functools.partial(
            Connection,
            http,
            loop=asyncio.get_running_loop(),
            access_log=None,
            auto_decompress=False,
            read_bufsize=READ_BUFFER,
            max_line_size=_LINE_LIMIT,
            max_field_size=_LINE_LIMIT,
        )
        make_seam = functools.partial(Seam, make_connection, self._waiting)
        factory: Callable[[], asyncio.Protocol] = make_seam
        if listener.tls is not None:
            factory = functools.partial(TlsLayer, listener.tls, make_seam)
        self._listeners.append((listener, await serve(listener, factory)))
        _log.info("API listens on %s", listener.address)

    def _make_http(self) -> Server:
        if self._http is None:
            handler = cast(Callable[[Any], Awaitable[Any]], self._handle)
            self._http = Server(handler, request_factory=_make_request, handler_cancellation=False)
        return self._http

    async def close(self, grace: float = _GRACE_SECONDS) -> None:
        """Stop accepting, end what follows its client, let the other requests finish for ``grace`` seconds, close."""
        for listener, server in self._listeners:
            server.close()
            close_listener(listener)
        self._listeners.clear()
        for transport in list(self._waiting):
            transport.close()
        if self._http is not None:
            for connection in self._http.connections:
                cast(Connection, connection).stop_following()
            self._http.pre_shutdown()
            await self._http.shutdown(grace)
        await self._tasks.close()

    # ------------------------------------------------------------------ one request

    async def _handle(self, request: Request) -> Answer | Gone:
        connection = request.connection
        try:
            return await self._dispatch(request)
        except ConnectionError:
            raise
        except Exception as error:
            return self._failed(request, error)
        finally:
            connection.end()

    async def _dispatch(self, request: Request) -> Answer | Gone:
        target = request.message.path.partition("?")[0]
        version, path = versions.split(target)
        request.version = versions.meant(version, request.headers.get("User-Agent", ""))
        if "%" in path:
            path = unquote(path)
        if "//" in path:
            return Answer(301, headers={"Location": _clean(target)})
        found = self._table.find(request.method, path)
        if found is None:
            if request.method == "OPTIONS":
                return Answer(200)
            return Answer(404, body_of("page not found"), JSON)
        route, request.parts = found
        request.path = path
        request.connection.begin(route.follows_client)
        return await route.handler(request)

    def _failed(self, request: Request, error: Exception) -> Answer | Gone:
        if request.answering or request.connection.hijacked:
            # The head is out: all that is left is to end the answer in a way that shows that it is not whole.
            _log.warning("%s %s failed after its answer had begun: %s", request.method, request.path, message_of(error))
            request.connection.abort()
            return Gone()
        status = status_of(error)
        message = message_of(error)
        _log.debug("%s %s: %d %s", request.method, request.path, status, message)
        return Answer(status) if status == 304 else Answer(status, body_of(message), JSON)


def _make_request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> Any:
    return Request(message, payload, protocol, writer)


def _clean(target: str) -> str:
    while "//" in target:
        target = target.replace("//", "/")
    return target
