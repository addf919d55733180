"""``_ping``, ``version``, ``info``, ``events``, ``system/df``."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from argosy.api.answer import JSON, Answer, Gone, Stream, json
from argosy.api.convert import system as convert
from argosy.api.convert.disk import disk_usage
from argosy.api.filters import parse_filters
from argosy.api.ports import System
from argosy.api.request import Request
from argosy.api.sending import closing
from argosy.api.table import Route
from argosy.api.timestamps import parse_timestamp
from argosy.api.versions import MINIMUM_TEXT, NEWEST_TEXT
from argosy.base.clock import Clock
from argosy.base.errors import InvalidParameterError

_PING = {"Builder-Version": "2", "Swarm": "inactive", "Cache-Control": "no-cache, no-store, must-revalidate", "Pragma": "no-cache"}
_PLAIN = "text/plain; charset=utf-8"
_DISK_TYPES = ("container", "image", "volume", "build-cache")
_SEQUENCE, _LINES, _NDJSON = "application/json-seq", "application/jsonl", "application/x-ndjson"
_RECORD_SEPARATOR = b"\x1e"
"""RFC 7464."""


class SystemRoutes:
    def __init__(self, system: System, clock: Clock) -> None:
        self._system = system
        self._clock = clock

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/_ping", self.ping),
            Route("HEAD", "/_ping", self.ping),
            Route("GET", "/version", self.version),
            Route("GET", "/info", self.info),
            Route("GET", "/events", self.events, follows_client=True),
            Route("GET", "/system/df", self.disk_usage),
        ]

    async def ping(self, request: Request) -> Answer:
        headers = {**_PING, **self._system.ping_headers()}
        return Answer(200, b"" if request.method == "HEAD" else b"OK", _PLAIN, headers)

    async def version(self, request: Request) -> Answer:
        return json({**self._system.version(), "ApiVersion": NEWEST_TEXT, "MinAPIVersion": MINIMUM_TEXT})

    async def info(self, request: Request) -> Answer:
        return json(convert.info(await self._system.info(), request.version))

    async def disk_usage(self, request: Request) -> Answer:
        types = request.texts("type") if request.version >= 42 else []
        for name in types:
            if name not in _DISK_TYPES:
                raise InvalidParameterError(f"unknown object type: {name}")
        usage = await self._system.disk_usage(types)
        return json(disk_usage(usage, request.version, verbose=request.flag("verbose"), now_ns=self._clock.now_ns()))

    async def events(self, request: Request) -> Answer | Gone:
        now = self._clock.now_ns()
        since, until = (parse_timestamp(request.text(name), now) for name in ("since", "until"))
        if since and until and until < since:
            raise InvalidParameterError(f"`since` time ({request.text('since')}) cannot be after `until` time ({request.text('until')})")
        filters = parse_filters(request.text("filters"))
        content_type = _events_type(request)
        events = self._system.events(since=since, until=until, filters=filters)
        stream = Stream(request)
        stream.start(content_type)
        return await _send_events(events, stream, request.version, sequence=content_type == _SEQUENCE)


async def _send_events(events: AsyncIterator[Mapping[str, Any]], stream: Stream, version: int, *, sequence: bool) -> Gone:
    async with closing(events):
        async for event in events:
            if sequence:
                await stream.write(_RECORD_SEPARATOR)
            await stream.write_json(convert.event(event, version))
    return await stream.done()


def _events_type(request: Request) -> str:
    """Return the content type: negotiable since 1.52 (json-seq, x-ndjson) and 1.53 (jsonl)."""
    accepted = request.headers.get("Accept", "")
    if request.version >= 52:
        for kind, since in ((_SEQUENCE, 52), (_LINES, 53), (_NDJSON, 52)):
            if kind in accepted and request.version >= since:
                return kind
    return JSON
