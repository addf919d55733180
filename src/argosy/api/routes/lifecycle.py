"""What happens to a container: start, stop, restart, kill, pause, unpause, wait; and its checkpoints, which are refused."""

from argosy.api.answer import JSON, Answer, Gone, Stream, empty
from argosy.api.ports import Containers
from argosy.api.request import Request
from argosy.api.sending import closing
from argosy.api.table import Route
from argosy.base.errors import InvalidParameterError, NotImplementedInArgosyError

_CONDITIONS = ("not-running", "next-exit", "removed")


class LifecycleRoutes:
    def __init__(self, containers: Containers) -> None:
        self._containers = containers

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/containers/{id}/start", self.start),
            Route("POST", "/containers/{id}/stop", self.stop),
            Route("POST", "/containers/{id}/restart", self.restart),
            Route("POST", "/containers/{id}/kill", self.kill),
            Route("POST", "/containers/{id}/pause", self.pause),
            Route("POST", "/containers/{id}/unpause", self.unpause),
            Route("POST", "/containers/{id}/wait", self.wait, follows_client=True),
            Route("GET", "/containers/{id}/checkpoints", refuse_checkpoints),
            Route("POST", "/containers/{id}/checkpoints", refuse_checkpoints),
            Route("DELETE", "/containers/{id}/checkpoints/{checkpoint}", refuse_checkpoints),
        ]

    async def start(self, request: Request) -> Answer:
        if request.text("checkpoint"):
            await refuse_checkpoints(request)
        await self._containers.start(request.parts["id"], detach_keys=request.text("detachKeys"))
        return empty()

    async def stop(self, request: Request) -> Answer:
        await self._containers.stop(request.parts["id"], timeout=request.number("t"), signal=_signal(request))
        return empty()

    async def restart(self, request: Request) -> Answer:
        await self._containers.restart(request.parts["id"], timeout=request.number("t"), signal=_signal(request))
        return empty()

    async def kill(self, request: Request) -> Answer:
        await self._containers.kill(request.parts["id"], signal=request.text("signal") or "KILL")
        return empty()

    async def pause(self, request: Request) -> Answer:
        await self._containers.pause(request.parts["id"])
        return empty()

    async def unpause(self, request: Request) -> Answer:
        await self._containers.unpause(request.parts["id"])
        return empty()

    async def wait(self, request: Request) -> Answer | Gone:
        condition = "not-running"
        if request.version >= 30 and request.text("condition"):
            condition = request.text("condition")
            if condition not in _CONDITIONS:
                raise InvalidParameterError(f'invalid condition: "{condition}"')
        exits = await self._containers.wait(request.parts["id"], condition=condition)
        stream = Stream(request)
        # The docker CLI starts the container only after it has seen this head.
        stream.start(JSON)
        async with closing(exits):
            async for record in exits:
                wire: dict[str, object] = {"StatusCode": record.exit_code}
                if record.error:
                    wire["Error"] = {"Message": record.error}
                await stream.write_json(wire)
        return await stream.done()


def _signal(request: Request) -> str:
    """Return the ``signal`` parameter of stop and restart, which 1.42 brought."""
    return request.text("signal") if request.version >= 42 else ""


async def refuse_checkpoints(request: Request) -> Answer:
    raise NotImplementedInArgosyError(
        "checkpoints are not served: they need CRIU, which does not work on current kernels; commit or export the container instead"
    )
