"""One solve: what the client asked by ``Control.Solve``, the build that its frontend asks for, and who watches.

A client of today runs its frontend itself (buildx): it asks `Control.Solve` for a result and then, as the frontend, `LLBBridge` to
build and to return it. Older ones name the frontend in `Control.Solve`. Either way one build is made, in the client's session.
"""

import asyncio
import contextlib
import posixpath
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from argosy.base import patterns
from argosy.base.clock import Clock
from argosy.base.errors import ArgosyError, InvalidParameterError, NotImplementedInArgosyError, UnavailableError
from argosy.build.context import Context, Contexts, Definition, Update
from argosy.build.dockerfile import ast
from argosy.build.dockerfile import parse as parse_dockerfile
from argosy.build.instructions.run import StepFailed
from argosy.build.request import BuildRequest
from argosy.buildkit import filesend, filesync, frontend
from argosy.buildkit.agents import agent
from argosy.buildkit.frontend import Asked
from argosy.buildkit.progress import Progress
from argosy.buildkit.sessions import Session
from argosy.images.distribution.credentials import Credentials
from argosy.oci.reference import parse as parse_reference

_KINDS = ("moby", "image", "docker", "oci", "local", "tar")
_LOAD_FILE, _LOAD_IGNORE, _LOAD_CONTEXT = (
    "[internal] load build definition from Dockerfile",
    "[internal] load .dockerignore",
    "[internal] load build context",
)
_EXPORT, _COPY, _SEND = "exporting to image", "exporting to client directory", "exporting to client tarball"


class Builder(Protocol):
    @property
    def contexts(self) -> Contexts: ...
    def build_in(
        self, source: contextlib.AbstractAsyncContextManager[Context], request: BuildRequest
    ) -> AsyncIterator[Mapping[str, Any]]: ...


class Results(Protocol):
    """What can be had of an image that was built."""

    @property
    def scratch(self) -> Path:
        """A directory for files without a name."""
        ...

    def files(self, image_id: str) -> AsyncIterator[bytes]:
        """Return a tar of its file system."""
        ...

    async def archive(self, names: Sequence[str]) -> AsyncIterator[bytes]:
        """Return what ``docker save`` writes, which is an OCI layout, too."""
        ...


@dataclass(frozen=True, slots=True)
class Export:
    """What becomes of the result."""

    kind: str = ""
    attrs: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return [name for name in self.attrs.get("name", "").split(",") if name]

    @property
    def leaves(self) -> bool:
        """Whether the client gets it, as an archive or as files."""
        return self.kind in ("docker", "local", "oci", "tar")


class Job:
    """``export``: as the client asked; the names of an image are given to it when it is recorded."""

    def __init__(self, ref: str, *, export: Export, builder: Builder, results: Results, clock: Clock) -> None:
        if export.kind not in ("", *_KINDS):
            raise NotImplementedInArgosyError(f"exporter {export.kind} could not be found")
        if export.kind != "moby" and export.attrs.get("push") == "true":
            # A client of an engine's own builder ("moby") pushes by itself, by the Engine API.
            raise NotImplementedInArgosyError("a build does not push: docker push the image when it is built")
        self.ref = ref
        self.session_id = ""
        """In which session the client serves its files."""
        self.image_id = ""
        self._export = export
        self._builder = builder
        self._results = results
        self._progress = Progress(ref, clock)
        self._said: list[Any] = []
        self._more = asyncio.Event()
        self._over = False
        self._returned: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    # ------------------------------------------------------------ who watches

    async def statuses(self) -> AsyncIterator[Any]:
        """Yield all that was and will be said, until the job is over."""
        number = 0
        while True:
            while number < len(self._said):
                yield self._said[number]
                number += 1
            if self._over:
                return
            self._more.clear()
            await self._more.wait()

    def _say(self, status: Any | None) -> None:
        if status is not None:
            self._said.append(status)
            self._more.set()

    def close(self) -> None:
        """Nothing more comes."""
        self._over = True
        self._more.set()

    # ------------------------------------------------------------ the result

    def returned(self, error: str) -> None:
        """The frontend is done: with an error, or with what it was given by `build`."""
        if not self._returned.done():
            self._returned.set_result(error)

    async def result(self) -> str:
        """Wait for what the frontend returns; return its error."""
        return await self._returned

    def answer(self, image_id: str) -> dict[str, str]:
        """Return what the client is told of the export."""
        if not self._export.kind or not image_id:
            return {}
        found = {"containerimage.config.digest": image_id, "containerimage.digest": image_id}
        if self._export.names:
            found["image.name"] = ",".join(str(parse_reference(name).tagged()) for name in self._export.names)
        return found

    # ------------------------------------------------------------ the build

    async def build(self, session: Session, attrs: Mapping[str, str], imports: Sequence[tuple[str, Mapping[str, str]]] = ()) -> str:
        """Build as the Dockerfile frontend is told; return the image's id. Raises what the build raises."""
        asked = frontend.asked(attrs, names=self._export.names, imports=imports)
        if self._export.leaves:
            filesend.check(session)
        try:
            image_id = await self._built(session, asked)
            await self._exported(session, image_id, asked.warnings)
            return image_id
        except BaseException as error:
            for status in self._progress.interrupted(str(error) if isinstance(error, ArgosyError) else "context canceled"):
                self._say(status)
            if isinstance(error, StepFailed):
                raise InvalidParameterError(error.process) from error
            raise

    async def _built(self, session: Session, asked: Asked) -> str:
        request = asked.request
        if request.remote:
            source = self._builder.contexts.from_remote(request.remote, dockerfile=request.dockerfile)
        else:
            definition = await self._definition(session, asked)
            request = await self._with_secrets(session, request, definition)
            source = self._synced(session, asked, definition)
        image_id = ""
        messages = self._builder.build_in(source, replace(request, remote=""))
        async with contextlib.aclosing(messages):  # type: ignore[type-var]
            async for message in messages:
                self._say(self._progress.take(message))
                image_id = message.get("aux", {}).get("ID") or image_id
        return image_id

    async def _exported(self, session: Session, image_id: str, warnings: Sequence[str]) -> None:
        kind, names = self._export.kind, self._export.names
        vertex = {"local": _COPY, "tar": _SEND}.get(kind, _EXPORT)
        self._say(self._progress.started(vertex))
        if not self._export.leaves:
            for word in (f"writing image {image_id}", *(f"naming to {parse_reference(name).tagged()}" for name in names)):
                self._say(self._progress.transferred(vertex, word, 0, over=True, name=word))
        elif kind == "local":
            await filesend.tree(session, self._results.files(image_id), self._results.scratch)
        elif kind == "tar":
            await filesend.archive(session, self._results.files(image_id))
        else:
            await filesend.archive(session, await self._results.archive([*names] or [image_id]))
        for warning in warnings:
            self._say(self._progress.warning(vertex, warning))
        self._say(self._progress.ended(vertex))

    async def _definition(self, session: Session, asked: Asked) -> Definition:
        """Get the Dockerfile and the patterns of what it does not see, before anything else is sent."""
        name = posixpath.normpath(asked.filename)
        wanted = [name, f"{name}.dockerignore", *(["dockerfile"] if name == "Dockerfile" else [])]
        files = await self._few(session, asked.dockerfile, wanted, _LOAD_FILE, "transferring dockerfile:")
        found = next((file for file in (name, "dockerfile") if file in files), None)
        if found is None:
            raise InvalidParameterError(f"failed to read dockerfile: open {asked.filename}: no such file or directory")
        ignore = files.get(f"{found}.dockerignore")
        if ignore is None:
            others = await self._few(session, asked.context, [".dockerignore"], _LOAD_IGNORE, "transferring context:")
            ignore = others.get(".dockerignore", b"")
        return Definition(files[found], found, tuple(patterns.lines(ignore)))

    async def _few(self, session: Session, name: str, paths: Sequence[str], vertex: str, id: str) -> dict[str, bytes]:
        self._say(self._progress.started(vertex))
        found = await filesync.files(session, name, paths, progress=self._transfer(vertex, id))
        self._say(self._progress.ended(vertex))
        return found

    def _transfer(self, vertex: str, id: str) -> filesync.Progress:
        last = 0

        def told(count: int, over: bool) -> None:
            nonlocal last
            if over or count - last > 1 << 20 or not last:
                last = count
                self._say(self._progress.transferred(vertex, id, count, over=over))

        return told

    async def _with_secrets(self, session: Session, request: BuildRequest, definition: Definition) -> BuildRequest:
        """Get the secrets and logins that the Dockerfile names."""
        file = parse_dockerfile(definition.dockerfile, definition.name)
        secrets = {name: value for name in mounted(file, "secret") if (value := await session.secret(name)) is not None}
        agents = {name: found for name in mounted(file, "ssh") if (found := await agent(session, name)) is not None}
        logins: dict[str, Credentials] = {}
        for domain in domains(file, request):
            if (login := await session.login(domain)) is not None:
                logins[domain] = login
        return replace(request, secrets=secrets, agents=agents, auth=logins)

    @contextlib.asynccontextmanager
    async def _synced(self, session: Session, asked: Asked, definition: Definition) -> AsyncIterator[Context]:
        self._say(self._progress.started(_LOAD_CONTEXT))
        told = self._transfer(_LOAD_CONTEXT, "transferring context:")
        sent = {
            asked.request.contexts[name].rpartition("/")[2]: filesync.directory(session, directory)
            for name, directory in asked.directories.items()
        }
        name = "\n".join((session.shared_key or session.id, asked.context, *definition.ignored))
        async with filesync.transfer(session, asked.context, exclude=definition.ignored, progress=told) as moved:
            update = Update(name, f"local source for {asked.context}", moved.listing, moved.tar)
            async with self._builder.contexts.from_update(update, sent, definition) as ready:
                self._say(self._progress.ended(_LOAD_CONTEXT))
                yield ready


def mounted(file: ast.Dockerfile, kind: str) -> list[str]:
    """Return the ids of what RUNs mount of a kind (``secret``, ``ssh``); a secret without one has its target's name."""
    found: dict[str, None] = {}
    for stage in file.stages:
        for instruction in stage.instructions:
            for text in instruction.mount_texts if isinstance(instruction, ast.Run) else ():
                fields = dict(part.partition("=")[::2] for part in text.split(","))
                if fields.get("type") == kind:
                    target = fields.get("target") or fields.get("dst") or fields.get("destination") or ""
                    found[fields.get("id") or ("default" if kind == "ssh" else posixpath.basename(target))] = None
    return [name for name in found if name]


def domains(file: ast.Dockerfile, request: BuildRequest) -> list[str]:
    """Return the registries that the build may have to ask; what is only known once variables are expanded is not among them."""
    names = [stage.base for stage in file.stages]
    names += [source.partition("ref=")[2] or source for source in request.cache_from]
    names += [source.removeprefix("docker-image://") for source in request.contexts.values() if source.startswith("docker-image://")]
    found: dict[str, None] = {}
    for name in names:
        with contextlib.suppress(ArgosyError):
            found[parse_reference(name).domain] = None
    return list(found)


class Jobs:
    """The solves that are under way."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._waiting: dict[str, asyncio.Event] = {}

    @contextlib.contextmanager
    def running(self, job: Job) -> Any:
        """Others find the job in the block."""
        if job.ref in self._jobs:
            raise InvalidParameterError(f"job ID {job.ref} exists")
        self._jobs[job.ref] = job
        if job.ref in self._waiting:
            self._waiting.pop(job.ref).set()
        try:
            yield
        finally:
            del self._jobs[job.ref]
            job.close()

    async def find(self, ref: str, patience: float = 10.0) -> Job:
        """Return the job, which may be about to begin. Raises UnavailableError."""
        if ref not in self._jobs:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._waiting.setdefault(ref, asyncio.Event()).wait()
        try:
            return self._jobs[ref]
        except KeyError:
            self._waiting.pop(ref, None)
            raise UnavailableError(f"no such job {ref}") from None
