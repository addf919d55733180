"""``RUN --mount``: what is mounted where, and what of it decides the result.

Every mount point lies in a tree of its own under the step's files (`storage.drafts`), so none of it gets into the layer. What
is held while the program runs (a cache's lock, a secret's file) is taken when the step is really done.
"""

import asyncio
import os
import posixpath
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from argosy.base.errors import NotFoundError
from argosy.build.cache.mounts import CacheMount, CacheMounts
from argosy.build.dockerfile import ast
from argosy.build.instructions.copy import Chosen, choose
from argosy.build.instructions.tree import Tree, handed
from argosy.build.ports import Bind, Tmpfs
from argosy.build.request import Agent
from argosy.build.solve.state import State
from argosy.storage.model import Directory
from argosy.storage.ports import Workers

_DEFAULT_AGENT = "default"
FindTree = Callable[[str], Awaitable[Tree]]


@dataclass(frozen=True, slots=True)
class Given:
    """What the program gets while it runs."""

    mounts: tuple[Bind | Tmpfs, ...] = ()
    env: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Part:
    mount: ast.Mount
    target: str
    tree: Tree | None = None
    chosen: Chosen | None = None

    @property
    def file(self) -> bool:
        """Return whether a file is mounted, not a directory."""
        return self.mount.type in ("secret", "ssh") or (self.mount.type == "bind" and self.chosen is not None and not self.chosen.directory)


@dataclass(frozen=True, slots=True)
class Mounts:
    """Looked up, and held by `held`. ``key``: what of it decides the result; a secret's value and a cache's content do not."""

    key: tuple[object, ...]
    directories: tuple[str, ...]
    files: tuple[str, ...]
    parts: tuple[_Part, ...]
    mounter: "Mounter"

    @asynccontextmanager
    async def held(self) -> AsyncIterator[Given]:
        """Yield what is mounted while the block runs."""
        async with AsyncExitStack() as undo:
            mounts: list[Bind | Tmpfs] = []
            env: list[str] = []
            for part in self.parts:
                given = await self.mounter.give(part, undo)
                mounts += given.mounts
                env += given.env
            yield Given(tuple(mounts), tuple(env))


class Mounter:
    """Of one build. ``scratch`` is a directory of its own; ``memory`` one on a file system in memory, for secrets."""

    def __init__(
        self,
        *,
        scratch: Path,
        memory: Path,
        secrets: Mapping[str, bytes],
        agents: Mapping[str, Agent],
        caches: CacheMounts,
        workers: Workers,
    ) -> None:
        self._scratch = scratch
        self._memory = memory
        self._secrets = secrets
        self._agents = agents
        self._caches = caches
        self._workers = workers

    async def look(self, mounts: Sequence[ast.Mount], state: State, tree: FindTree) -> Mounts:
        """Raises InvalidParameterError for what cannot be mounted, NotFoundError for what is not there."""
        parts = [part for number, mount in enumerate(mounts) if (part := await self._part(mount, number, state, tree)) is not None]
        return Mounts(
            key=tuple(_key(part) for part in parts),
            directories=tuple(part.target for part in parts if not part.file),
            files=tuple(part.target for part in parts if part.file and part.target),
            parts=tuple(parts),
            mounter=self,
        )

    async def _part(self, mount: ast.Mount, number: int, state: State, tree: FindTree) -> _Part | None:
        target = posixpath.normpath(posixpath.join(state.config.working_dir or "/", mount.target)) if mount.target else ""
        match mount.type:
            case "bind":
                found = await tree(mount.from_)
                chosen = await self._chosen(mount, found)
                return _Part(mount, target, found, chosen)
            case "cache" if mount.from_:
                found = await tree(mount.from_)
                return _Part(mount, target, found, await self._chosen(mount, found))
            case "secret":
                return self._secret(mount, target)
            case "ssh":
                return self._ssh(mount, target, number)
        return _Part(mount, target)

    async def _chosen(self, mount: ast.Mount, tree: Tree) -> Chosen:
        return await choose(tree, 0, [mount.source or "."], excludes=(), parents=False, name="RUN --mount", workers=self._workers)

    def _secret(self, mount: ast.Mount, target: str) -> _Part | None:
        name = mount.id or posixpath.basename(mount.target)
        if name not in self._secrets:
            if mount.required:
                raise NotFoundError(f"secret {name}: not found")
            return None
        if not target and not mount.env:
            target = f"/run/secrets/{name}"
        return _Part(mount, target)

    def _ssh(self, mount: ast.Mount, target: str, number: int) -> _Part | None:
        name = mount.id or _DEFAULT_AGENT
        if name not in self._agents:
            if mount.required:
                raise NotFoundError(f"ssh agent {name}: not found: the client hands one over by --ssh (docker buildx build --ssh {name})")
            return None
        return _Part(mount, target or f"/run/buildkit/ssh_agent.{number}")

    # ------------------------------------------------------------ while the program runs

    async def give(self, part: _Part, undo: AsyncExitStack) -> Given:
        """Make one mount; what it takes is given back by ``undo``."""
        mount = part.mount
        match mount.type:
            case "tmpfs":
                return Given((Tmpfs(part.target, mount.size),))
            case "bind":
                path, file = await self._copied(part)
                return Given((Bind(part.target, str(path / file) if file else str(path), readonly=mount.readonly is not False),))
            case "cache":
                return Given((await self._cache(part, undo),))
            case "ssh":
                return await self._agent(part, undo)
        return self._given_secret(part, undo)

    async def _copied(self, part: _Part) -> tuple[Path, str]:
        """A copy is mounted: whatever the program writes there is thrown away, and the context stays as it came."""
        place = Path(tempfile.mkdtemp(dir=self._scratch))
        await self._fill(part, place)
        assert part.chosen is not None
        item = part.chosen.items[0]
        name = posixpath.basename(item.path)
        return place, name if part.file else ""

    async def _fill(self, part: _Part, place: Path) -> None:
        assert part.tree is not None and part.chosen is not None
        place.chmod(0o755)
        with handed([part.tree]) as given:
            params = {
                "items": [[given.indexes[0], item.path, "", ""] for item in part.chosen.items],
                "target": "/",
                "directory": True,
                "owner": None if part.tree.owners else [0, 0],
                "mode": "",
                "excludes": [],
                "parents": False,
            }
            await self._workers.run("place", params, root=Directory(str(place)), **given.options())

    async def _cache(self, part: _Part, undo: AsyncExitStack) -> Bind:
        mount = part.mount
        wanted = CacheMount(
            id=mount.id or part.target,
            sharing=mount.sharing,
            mode=0o755 if mount.mode is None else mount.mode,
            uid=mount.uid or 0,
            gid=mount.gid or 0,
        )
        path, fresh = await undo.enter_async_context(self._caches.held(wanted))
        if fresh and part.tree is not None:
            await self._fill(part, path)
        source = path / mount.source.strip("/") if mount.source and part.tree is None else path
        source.mkdir(parents=True, exist_ok=True)
        return Bind(part.target, str(source), readonly=bool(mount.readonly))

    async def _agent(self, part: _Part, undo: AsyncExitStack) -> Given:
        """A socket of the step's own; what connects to it is carried to the client."""
        mount = part.mount
        self._memory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._memory / f"{os.urandom(6).hex()}.sock"
        # Bound by its short name: the path may be longer than an address.
        listener = socket.socket(socket.AF_UNIX)
        directory = os.open(self._memory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            listener.bind(f"/proc/self/fd/{directory}/{path.name}")
        finally:
            os.close(directory)
        undo.callback(os.unlink, path)
        os.chown(path, mount.uid or 0, mount.gid or 0)
        path.chmod(0o600 if mount.mode is None else mount.mode)
        server = await asyncio.start_unix_server(self._agents[mount.id or _DEFAULT_AGENT], sock=listener)
        undo.callback(server.close)
        return Given((Bind(part.target, str(path)),), (f"SSH_AUTH_SOCK={part.target}",))

    def _given_secret(self, part: _Part, undo: AsyncExitStack) -> Given:
        mount = part.mount
        value = self._secrets[mount.id or posixpath.basename(mount.target)]
        env = (f"{mount.env}={value.decode('utf-8', 'surrogateescape')}",) if mount.env else ()
        if not part.target:
            return Given(env=env)
        self._memory.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd, path = tempfile.mkstemp(dir=self._memory)
        undo.callback(os.unlink, path)
        with os.fdopen(fd, "wb") as handle:
            handle.write(value)
            os.fchown(fd, mount.uid or 0, mount.gid or 0)
            os.fchmod(fd, 0o400 if mount.mode is None else mount.mode)
        return Given((Bind(part.target, path, readonly=True),), env)


def _key(part: _Part) -> object:
    mount = part.mount
    digest = part.chosen.digest if part.chosen is not None else ""
    return [mount.type, part.target, mount.id, mount.source, digest, mount.readonly, mount.size, mount.env]
