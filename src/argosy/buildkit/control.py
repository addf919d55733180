"""The services that a client of BuildKit calls: ``Control``, ``LLBBridge`` (its frontend's side), health, and traces, which are dropped."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from argosy import __version__
from argosy.base.clock import Clock
from argosy.base.errors import InvalidParameterError, NotImplementedInArgosyError
from argosy.buildkit import frontend, messages
from argosy.buildkit.job import Builder, Export, Job, Jobs, Results
from argosy.buildkit.sessions import Session, Sessions
from argosy.buildkit.wire import Service, serve

_CONTROL = "/moby.buildkit.v1.Control/"
_BRIDGE = "/moby.buildkit.v1.frontend.LLBBridge/"
_BUILD_ID = "buildkit-controlapi-buildid"
_CAPABILITIES = (
    *("solve.base", "return", "returnmap", "importcaches", "proto.refarray", "frontend.caps"),
    *("gateway.solve.metadata", "gateway.solve.evaluate", "gateway.evaluate"),
)
"""What is served here, and no more: a client asks for nothing else then."""
_SERVING = 1


class Control:
    """One for the daemon. ``platforms``: what programs can be run for, ``os/architecture[/variant]``."""

    def __init__(self, *, builder: Builder, results: Results, worker_id: str, platforms: Callable[[], Sequence[str]], clock: Clock) -> None:
        self._builder = builder
        self._results = results
        self._worker_id = worker_id
        self._platforms = platforms
        self._clock = clock
        self._sessions = Sessions()
        self._jobs = Jobs()
        service = Service()
        service.unary(_CONTROL + "ListWorkers", "ListWorkersRequest", "ListWorkersResponse", self._list_workers)
        service.unary(_CONTROL + "Info", "Empty", "InfoResponse", self._info)
        service.unary(_CONTROL + "Solve", "SolveRequest", "SolveResponse", self._solve)
        service.streaming(_CONTROL + "Status", "StatusRequest", "StatusResponse", self._status)
        service.streaming(_CONTROL + "ListenBuildHistory", "HistoryRequest", "Empty", self._history)
        service.unary(_CONTROL + "UpdateBuildHistory", "Empty", "Empty", self._nothing)
        service.unary(_BRIDGE + "Ping", "Empty", "PongResponse", self._ping)
        service.unary(_BRIDGE + "Solve", "FrontendRequest", "FrontendResponse", self._frontend)
        service.unary(_BRIDGE + "Return", "ReturnRequest", "Empty", self._return)
        service.unary(_BRIDGE + "Evaluate", "Empty", "Empty", self._nothing)
        service.unary("/grpc.health.v1.Health/Check", "HealthRequest", "HealthResponse", self._health)
        service.unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export", "Empty", "Empty", self._nothing)
        self._service = service

    def serve(self, transport: asyncio.Transport, early: bytes) -> None:
        """Take a connection on which the client calls us."""
        serve(transport, early, self._service)

    def open_session(self, id: str, methods: Sequence[str], shared_key: str, transport: asyncio.Transport, early: bytes) -> None:
        """Take a connection on which we call the client."""
        self._sessions.open(id, methods, shared_key, transport, early)

    # ------------------------------------------------------------ Control

    def _worker(self) -> Any:
        platforms = []
        for text in self._platforms():
            system, architecture, *variant = text.split("/")
            platforms.append(messages.Platform(os=system, architecture=architecture, variant="".join(variant)))
        return messages.Worker(id=self._worker_id, platforms=platforms, version=_version())

    async def _list_workers(self, request: Any, metadata: Mapping[str, str]) -> Any:
        return messages.ListWorkersResponse(record=[self._worker()])

    async def _info(self, request: Any, metadata: Mapping[str, str]) -> Any:
        return messages.InfoResponse(version=_version())

    async def _solve(self, request: Any, metadata: Mapping[str, str]) -> Any:
        exporters = [Export(one.type, dict(one.attrs)) for one in request.exporters]
        if len(exporters) > 1:
            raise NotImplementedInArgosyError("a build has one output: build again for another, which takes all steps from the cache")
        export = exporters[0] if exporters else Export(request.exporter, dict(request.exporter_attrs))
        job = Job(request.ref, export=export, builder=self._builder, results=self._results, clock=self._clock)
        with self._jobs.running(job):
            if request.frontend:
                session = await self._sessions.find(request.session)
                image_id = await self._build(job, session, request.frontend, request.frontend_attrs, request.cache.imports)
            else:
                image_id = await self._by_client(job, request)
        return messages.SolveResponse(exporter_response=job.answer(image_id))

    async def _by_client(self, job: Job, request: Any) -> str:
        """The client is its own frontend, and calls `LLBBridge`."""
        job.session_id = request.session
        if error := await job.result():
            raise InvalidParameterError(error)
        return job.image_id

    async def _build(self, job: Job, session: Session, name: str, attrs: Mapping[str, str], imports: Sequence[Any]) -> str:
        if name not in frontend.FRONTENDS:
            raise NotImplementedInArgosyError(f"frontend {name} is not served: the Dockerfile frontend is dockerfile.v0")
        return await job.build(session, dict(attrs), [(one.type, dict(one.attrs)) for one in imports])

    async def _status(self, request: Any, metadata: Mapping[str, str]) -> AsyncIterator[Any]:
        job = await self._jobs.find(request.ref)
        async for status in job.statuses():
            yield status

    async def _history(self, request: Any, metadata: Mapping[str, str]) -> AsyncIterator[Any]:
        """No history is kept; who listens for what comes listens in vain."""
        if not request.early_exit:
            await asyncio.Event().wait()
        # Nothing is yielded, and this is a generator nevertheless.
        if self._jobs is None:
            yield messages.Empty()

    # ------------------------------------------------------------ LLBBridge

    async def _ping(self, request: Any, metadata: Mapping[str, str]) -> Any:
        capabilities = [messages.Capability(id=name, enabled=True) for name in _CAPABILITIES]
        return messages.PongResponse(frontend=capabilities, workers=[self._worker()])

    async def _frontend(self, request: Any, metadata: Mapping[str, str]) -> Any:
        job = await self._jobs.find(metadata.get(_BUILD_ID, ""))
        if request.definition:
            raise NotImplementedInArgosyError("a graph of the client's own (LLB) is not served: only Dockerfiles are")
        if not request.frontend:
            return messages.FrontendResponse(result=messages.Result())
        session = await self._sessions.find(job.session_id)
        job.image_id = await self._build(job, session, request.frontend, request.attrs, request.cache_imports)
        return messages.FrontendResponse(result=messages.Result(ref=messages.Ref(id=job.image_id)))

    async def _return(self, request: Any, metadata: Mapping[str, str]) -> Any:
        job = await self._jobs.find(metadata.get(_BUILD_ID, ""))
        job.returned((request.error.message or "the frontend failed") if request.HasField("error") else "")
        return messages.Empty()

    # ------------------------------------------------------------ the rest

    async def _health(self, request: Any, metadata: Mapping[str, str]) -> Any:
        return messages.HealthResponse(status=_SERVING)

    async def _nothing(self, request: Any, metadata: Mapping[str, str]) -> Any:
        return messages.Empty()


def _version() -> Any:
    return messages.Version(package="argosy", version=f"v{__version__}")
