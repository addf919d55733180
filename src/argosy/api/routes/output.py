"""What a container says and does: logs, stats, top, changes."""

from argosy.api.answer import JSON, Answer, Gone, Stream, json
from argosy.api.convert.system import stats as stats_of
from argosy.api.hijack import stream_type
from argosy.api.ports import Containers
from argosy.api.request import Request, to_int
from argosy.api.sending import closing, send_pieces
from argosy.api.table import Route
from argosy.api.timestamps import parse_timestamp
from argosy.base.clock import Clock
from argosy.base.errors import InvalidParameterError


class OutputRoutes:
    def __init__(self, containers: Containers, clock: Clock) -> None:
        self._containers = containers
        self._clock = clock

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/containers/{id}/logs", self.logs, follows_client=True),
            Route("GET", "/containers/{id}/stats", self.stats, follows_client=True),
            Route("GET", "/containers/{id}/top", self.top),
            Route("GET", "/containers/{id}/changes", self.changes),
        ]

    async def logs(self, request: Request) -> Answer | Gone:
        stdout, stderr = request.flag("stdout"), request.flag("stderr")
        if not (stdout or stderr):
            raise InvalidParameterError("Bad parameters: you must choose at least one stream")
        now = self._clock.now_ns()
        terminal, pieces = await self._containers.logs(
            request.parts["id"],
            stdout=stdout,
            stderr=stderr,
            since=parse_timestamp(request.text("since"), now),
            until=parse_timestamp(request.text("until"), now),
            timestamps=request.flag("timestamps"),
            tail=_tail(request.text("tail")),
            follow=request.flag("follow"),
            details=request.flag("details"),
        )
        return await send_pieces(request, pieces, stream_type(request.version, multiplexed=not terminal), at_once=True)

    async def stats(self, request: Request) -> Answer | Gone:
        follow, one_shot = request.flag("stream", default=True), request.flag("one-shot")
        if follow and one_shot:
            raise InvalidParameterError("cannot have stream=true and one-shot=true")
        samples = await self._containers.stats(request.parts["id"], stream=follow, one_shot=one_shot)
        stream = Stream(request)
        stream.start(JSON)
        async with closing(samples):
            async for sample in samples:
                await stream.write_json(stats_of(sample, request.version))
        return await stream.done()

    async def top(self, request: Request) -> Answer:
        titles, processes = await self._containers.top(request.parts["id"], request.text("ps_args"))
        return json({"Processes": processes, "Titles": titles})

    async def changes(self, request: Request) -> Answer:
        changes = await self._containers.changes(request.parts["id"])
        return json([{"Path": path, "Kind": kind} for path, kind in changes] or None)


def _tail(text: str) -> int:
    """Return how many lines; like Docker's daemon anything that is no number (``all``) means all of them."""
    try:
        return max(to_int(text), -1)
    except InvalidParameterError:
        return -1
