"""Attach, on the connection itself or by websocket, and the size of a container's terminal."""

from argosy.api.answer import Answer, Gone, empty
from argosy.api.hijack import SocketHijack
from argosy.api.ports import Containers
from argosy.api.request import Request, to_int
from argosy.api.table import Route
from argosy.api.websocket import WebSocketHijack
from argosy.base.errors import InvalidParameterError
from argosy.base.tasks import Supervisor
from argosy.engine.attach import detach_keys
from argosy.runtime.model import AttachRequest


class AttachRoutes:
    def __init__(self, containers: Containers, tasks: Supervisor) -> None:
        self._containers = containers
        self._tasks = tasks

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/containers/{id}/attach", self.attach, follows_client=True),
            Route("GET", "/containers/{id}/attach/ws", self.attach_websocket, follows_client=True),
            Route("POST", "/containers/{id}/resize", self.resize),
        ]

    async def attach(self, request: Request) -> Answer | Gone:
        keys = detach_keys(request.text("detachKeys"))
        view = await self._containers.inspect(request.parts["id"])
        wanted = AttachRequest(
            stdin=request.flag("stdin"),
            stdout=request.flag("stdout"),
            stderr=request.flag("stderr"),
            detach_keys=keys,
            multiplexed=not view.spec.config.tty,
        )
        connection = SocketHijack(request)
        await self._containers.attach(request.parts["id"], wanted, connection, stream=request.flag("stream"), logs=request.flag("logs"))
        return Gone()

    async def attach_websocket(self, request: Request) -> Answer | Gone:
        keys = detach_keys(request.text("detachKeys"))
        # Before 1.42 the three parameters were documented and ignored.
        stdin, stdout, stderr = (request.version < 42 or request.flag(name) for name in ("stdin", "stdout", "stderr"))
        logs = request.flag("logs")
        wanted = AttachRequest(stdin=stdin, stdout=stdout, stderr=stderr, detach_keys=keys, multiplexed=False)
        connection = WebSocketHijack(request, self._tasks)
        await self._containers.attach(request.parts["id"], wanted, connection, stream=request.flag("stream", default=True), logs=logs)
        return await connection.finished()

    async def resize(self, request: Request) -> Answer:
        rows, columns = terminal_size(request)
        await self._containers.resize(request.parts["id"], rows, columns)
        # Docker says 200 here and 201 would confuse docker-py.
        return empty(200)


def terminal_size(request: Request) -> tuple[int, int]:
    """Return (rows, columns) of ``h`` and ``w``. Raises InvalidParameterError in Docker's words."""
    return _size(request, "h", "height"), _size(request, "w", "width")


def _size(request: Request, name: str, word: str) -> int:
    text = request.text(name)
    try:
        value = to_int(text)
    except InvalidParameterError:
        raise InvalidParameterError(f'invalid resize {word} "{text}": invalid syntax') from None
    if not 0 <= value < 2**32:
        raise InvalidParameterError(f'invalid resize {word} "{text}": value out of range')
    return value
