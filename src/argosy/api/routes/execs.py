"""Execs: create, start, resize, inspect; and as extras their list for a container, and kill."""

from argosy.api.answer import Answer, Gone, empty, json
from argosy.api.convert.execs import inspect
from argosy.api.hijack import SocketHijack
from argosy.api.ports import Execs
from argosy.api.request import Request
from argosy.api.routes.attach import terminal_size
from argosy.api.table import Route
from argosy.base.errors import InvalidParameterError
from argosy.engine.attach import detach_keys
from argosy.engine.model import ExecSpec
from argosy.schema.containers import ExecBody, ExecStartBody


class ExecRoutes:
    def __init__(self, execs: Execs) -> None:
        self._execs = execs

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/containers/{id}/exec", self.create),
            Route("GET", "/containers/{id}/execs", self.list_),
            Route("POST", "/exec/{id}/start", self.start, follows_client=True),
            Route("POST", "/exec/{id}/resize", self.resize),
            Route("POST", "/exec/{id}/kill", self.kill),
            Route("GET", "/exec/{id}/json", self.inspect),
        ]

    async def create(self, request: Request) -> Answer:
        body = await request.json(ExecBody)
        if not body.cmd:
            raise InvalidParameterError("No exec command specified")
        detach_keys(body.detach_keys)
        spec = ExecSpec(
            id="",
            container_id="",
            cmd=body.cmd,
            user=body.user,
            privileged=body.privileged,
            tty=body.tty,
            attach_stdin=body.attach_stdin,
            attach_stdout=body.attach_stdout,
            attach_stderr=body.attach_stderr,
            detach_keys=body.detach_keys,
            env=body.env or (),
            working_dir=body.working_dir,
            console_size=body.console_size if request.version >= 42 and body.tty else None,
        )
        return json({"Id": await self._execs.create(request.parts["id"], spec)}, 201)

    async def start(self, request: Request) -> Answer | Gone:
        body = await request.json(ExecStartBody, optional=True)
        size = body.console_size if request.version >= 42 and body.tty else None
        connection = None if body.detach else SocketHijack(request)
        if body.detach:
            # A detached exec goes on whoever listens.
            request.connection.follows_client = False
        await self._execs.start(request.parts["id"], detach=body.detach, tty=body.tty, console_size=size, connection=connection)
        return Gone() if request.connection.hijacked else empty(200)

    async def resize(self, request: Request) -> Answer:
        rows, columns = terminal_size(request)
        await self._execs.resize(request.parts["id"], rows, columns)
        return empty(200)

    async def inspect(self, request: Request) -> Answer:
        return json(inspect(*self._execs.inspect(request.parts["id"])))

    async def list_(self, request: Request) -> Answer:
        return json([inspect(spec, state) for spec, state in self._execs.list_(request.parts["id"])])

    async def kill(self, request: Request) -> Answer:
        await self._execs.kill(request.parts["id"], request.text("signal") or "KILL")
        return empty()
