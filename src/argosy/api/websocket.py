"""Attach by websocket: binary frames on one side, a pair of sockets towards the shim on the other."""

import asyncio
import socket
from typing import Any, cast

from aiohttp.http import WSMsgType
from aiohttp.web_request import BaseRequest
from aiohttp.web_ws import WebSocketResponse

from argosy.api.answer import Gone
from argosy.api.request import Request
from argosy.base.errors import InvalidParameterError
from argosy.base.tasks import Supervisor

_READ = 1 << 16


class WebSocketHijack:
    """`argosy.api.ports.Hijacked` for ``GET /containers/{id}/attach/ws``."""

    def __init__(self, request: Request, tasks: Supervisor) -> None:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            raise InvalidParameterError("bad request: attach/ws needs a websocket handshake")
        self._request = request
        self._tasks = tasks
        self._pump: asyncio.Task[None] | None = None

    async def take(self, *, multiplexed: bool) -> tuple[int, bytes]:
        request = self._request
        websocket = WebSocketResponse(autoping=True)
        loop = asyncio.get_running_loop()
        task = cast("asyncio.Task[None]", asyncio.current_task())
        writer: Any = request.writer
        await websocket.prepare(BaseRequest(request.message, request.payload, request.connection, writer, task, loop))
        request.connection.hijacked = True
        near, far = socket.socketpair()
        near.setblocking(False)
        far.setblocking(False)
        self._pump = self._tasks.spawn(_pump(websocket, near), name="attach/ws")
        return far.detach(), b""

    async def finished(self) -> Gone:
        """Wait until everything has been sent to the client."""
        if self._pump is not None:
            await asyncio.wait([self._pump])
        return Gone()


async def _pump(websocket: WebSocketResponse, near: socket.socket) -> None:
    """Carry both directions until the shim closes its end or the client leaves."""
    loop = asyncio.get_running_loop()

    async def from_client() -> None:
        async for message in websocket:
            if message.type in (WSMsgType.BINARY, WSMsgType.TEXT):
                data = message.data.encode() if isinstance(message.data, str) else message.data
                await loop.sock_sendall(near, data)
        # The client has left: the shim sees the end of input.
        near.shutdown(socket.SHUT_RDWR)

    try:
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(from_client())
            while data := await loop.sock_recv(near, _READ):
                await websocket.send_bytes(data)
            await websocket.close()
            reader.cancel()
    except* (ConnectionError, OSError):
        pass
    finally:
        near.close()
