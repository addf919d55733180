"""`Containers`: the nouns' one door for the API. It finds the container and hands over to the verb; nothing is decided here."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any

from argosy.base.clock import Clock
from argosy.base.errors import ConflictError, NotFoundError, NotImplementedInArgosyError
from argosy.engine import attach as attaching
from argosy.engine import changes as changed
from argosy.engine import commit as committing
from argosy.engine import list as listing
from argosy.engine import prune as pruning
from argosy.engine import stats as measuring
from argosy.engine import top as processes
from argosy.engine import wait as waiting
from argosy.engine.announce import Announcer
from argosy.engine.attach import Connection
from argosy.engine.change import Changer
from argosy.engine.container import Container
from argosy.engine.container_view import ContainerView
from argosy.engine.copy import Place, get_archive, put_archive, stat_path
from argosy.engine.copy.export import export
from argosy.engine.create import Creator
from argosy.engine.filters import Filters
from argosy.engine.gone import gone_meanwhile, in_place
from argosy.engine.image_mounts import views
from argosy.engine.logs import LogQuery, Past, read_logs
from argosy.engine.logs.place import readable
from argosy.engine.logs.watch import LogWatch
from argosy.engine.model import Status
from argosy.engine.paths import ContainerPaths
from argosy.engine.ports import Images, Snapshots
from argosy.engine.registry import Registry
from argosy.engine.remove import Remover
from argosy.engine.settings import EngineSettings
from argosy.engine.start import Starter
from argosy.engine.stop import Stopper
from argosy.engine.userns import seen_from_outside
from argosy.engine.views import Viewer
from argosy.oci.config import Config
from argosy.runtime.model import AttachRequest, ExitRecord, LogPlan
from argosy.storage.limits import LIMITS, Limits
from argosy.storage.model import Mapped, RootMount
from argosy.storage.ports import Workers


class Containers:
    """Implements `argosy.api.ports.Containers`."""

    def __init__(
        self,
        *,
        registry: Registry,
        creator: Creator,
        starter: Starter,
        stopper: Stopper,
        remover: Remover,
        changer: Changer,
        viewer: Viewer,
        snapshots: Snapshots,
        images: Images,
        workers: Workers,
        announce: Announcer,
        clock: Clock,
        settings: EngineSettings,
        userns: int = -1,
        limits: Limits = LIMITS,
    ) -> None:
        """``userns``: fd of a user namespace with the mapping of ``--userns-remap``, -1 without one."""
        self._limits = limits
        self._registry = registry
        self._creator = creator
        self._starter = starter
        self._stopper = stopper
        self._remover = remover
        self._changer = changer
        self._viewer = viewer
        self._snapshots = snapshots
        self._images = images
        self._workers = workers
        self._announce = announce
        self._clock = clock
        self._settings = settings
        self._userns = userns
        self._watch = LogWatch()
        self.create = creator.create

    # -- seeing

    async def list_(self, *, all: bool, limit: int, size: bool, filters: Filters) -> list[ContainerView]:
        views = [self._viewer.view(container) for container in self._registry]
        chosen = listing.select(
            views,
            all=all,
            limit=limit,
            filters=filters,
            find=lambda ref: self._viewer.view(self._registry.find(ref)),
            ancestors=self._images.descendants,
        )
        return [await self._sized(self._registry.find(view.spec.id)) for view in chosen] if size else chosen

    async def inspect(self, ref: str, *, size: bool = False) -> ContainerView:
        container = self._registry.find(ref)
        return await self._sized(container) if size else self._viewer.view(container)

    async def _sized(self, container: Container) -> ContainerView:
        image = self._images.view(container.spec.image_id)
        own = await self._snapshots.usage(container.id)
        return self._viewer.view(container, size_rw=own, size_root_fs=own + (image.size if image else 0))

    async def top(self, ref: str, ps_args: str) -> tuple[list[str], list[list[str]]]:
        container = self._running(ref)
        if container.state.status is Status.RESTARTING:
            raise ConflictError(f"Container {container.id} is restarting, wait until the container is running")
        assert container.shim is not None
        found = await processes.top(container.shim.processes(), ps_args)
        self._announce(container, "top")
        return found

    async def stats(self, ref: str, *, stream: bool, one_shot: bool) -> AsyncIterator[Mapping[str, Any]]:
        container = self._registry.find(ref)

        def read() -> measuring.Reading | None:
            if container.shim is None or not container.running:
                return None
            networks = measuring.network_counters(container.shim.pid)
            return measuring.take(container.shim.sample(), networks, time.time_ns())

        return measuring.stats(
            container_id=container.id,
            name=lambda: container.name,
            read=read,
            stream=stream,
            one_shot=one_shot,
            present=lambda: not container.removed,
        )

    async def logs(
        self,
        ref: str,
        *,
        stdout: bool,
        stderr: bool,
        since: int,
        until: int,
        timestamps: bool,
        tail: int,
        follow: bool,
        details: bool,
    ) -> tuple[bool, AsyncIterator[bytes]]:
        container = self._registry.find(ref)
        query = LogQuery(
            stdout=stdout, stderr=stderr, since=since, until=until, tail=tail, timestamps=timestamps, details=details, follow=follow
        )
        return container.spec.config.tty, self._read_logs(container, query)

    def _read_logs(self, container: Container, query: LogQuery) -> AsyncIterator[bytes]:
        spec, shim = container.spec, container.shim
        ended = container.run_ended if container.running or container.state.status is Status.RESTARTING else None
        flush = shim.flush_logs if shim is not None and container.running else None
        return read_logs(self._log_plan(container), query, terminal=spec.config.tty, ended=ended, flush=flush, watch=self._watch)

    # -- life

    async def start(self, ref: str, *, detach_keys: str = "", checkpoint: str = "") -> None:
        if checkpoint:
            raise NotImplementedInArgosyError("checkpoint is not supported: containers are not saved to and restored from images of memory")
        await self._starter.start(self._registry.find(ref))

    async def stop(self, ref: str, *, timeout: int | None, signal: str = "") -> None:
        await self._stopper.stop(self._registry.find(ref), timeout=timeout, signal=signal)

    async def restart(self, ref: str, *, timeout: int | None, signal: str = "") -> None:
        await self._stopper.restart(self._registry.find(ref), timeout=timeout, signal=signal)

    async def kill(self, ref: str, *, signal: str) -> None:
        await self._stopper.kill(self._registry.find(ref), signal=signal)

    async def pause(self, ref: str) -> None:
        await self._stopper.pause(self._registry.find(ref))

    async def unpause(self, ref: str) -> None:
        await self._stopper.unpause(self._registry.find(ref))

    async def rename(self, ref: str, name: str) -> None:
        await self._changer.rename(self._registry.find(ref), name)

    async def update(self, ref: str, changes: Mapping[str, Any]) -> tuple[str, ...]:
        return await self._changer.update(self._registry.find(ref), changes)

    async def wait(self, ref: str, *, condition: str) -> AsyncIterator[ExitRecord]:
        return waiting.wait(self._registry.find(ref), condition)

    async def remove(self, ref: str, *, force: bool, volumes: bool, link: bool) -> None:
        if link:
            await self._remove_link(ref)
            return
        container = self._registry.find(ref)
        await self._remover.remove(container, force=force, volumes=volumes)

    async def _remove_link(self, ref: str) -> None:
        """``ref`` is ``container/alias``. Raises NotFoundError or ConflictError in Docker's words."""
        name, slash, alias = ref.strip("/").partition("/")
        if not slash:
            self._registry.find(name)
            raise ConflictError("Conflict, cannot remove the default link name of the container")
        try:
            container = self._registry.find(name)
        except NotFoundError:
            raise NotFoundError(f"No such container: {ref}") from None
        await self._changer.remove_link(container, alias)

    async def prune(self, filters: Filters) -> tuple[list[str], int]:
        async def remove(view: ContainerView) -> int:
            size = await self._snapshots.usage(view.spec.id)
            await self._remover.remove(self._registry.find(view.spec.id), force=False, volumes=False)
            return size

        views = [self._viewer.view(container) for container in self._registry]
        removed, freed = await pruning.prune(views, filters, self._clock.now_ns(), remove)
        self._announce.pruned(freed)
        return removed, freed

    # -- streams

    async def attach(self, ref: str, request: AttachRequest, connection: Connection, *, stream: bool, logs: bool) -> None:
        container = self._registry.find(ref)
        log = None
        if logs and container.spec.host.log_config.type != "none":
            query = LogQuery(stdout=request.stdout, stderr=request.stderr)
            log = partial(Past, self._log_plan(container), query)
        self._announce(container, "attach")
        await attaching.attach(container, request, connection, stream=stream, log=log)

    async def resize(self, ref: str, rows: int, columns: int) -> None:
        container = self._running(ref)
        assert container.shim is not None
        await container.shim.resize("", rows, columns)
        self._announce(container, "resize", height=str(rows), width=str(columns))

    # -- files

    async def changes(self, ref: str) -> list[tuple[str, int]]:
        container = self._registry.find(ref)
        with gone_meanwhile(container, ref):
            return await changed.changes(self._snapshots, container.id)

    async def export(self, ref: str) -> AsyncIterator[bytes]:
        container = self._registry.find(ref)
        self._announce(container, "export")
        with gone_meanwhile(container, ref):
            return await export(self._workers, await self._snapshots.mounts(container.id))

    async def archive_stat(self, ref: str, path: str) -> Mapping[str, Any]:
        container = self._registry.find(ref)
        with gone_meanwhile(container, ref):
            return await in_place(partial(self._place, container), lambda place: stat_path(self._workers, place, path, name=ref))

    async def archive_get(self, ref: str, path: str) -> tuple[Mapping[str, Any], AsyncIterator[bytes]]:
        container = self._registry.find(ref)
        with gone_meanwhile(container, ref):
            found = await in_place(partial(self._place, container), lambda place: get_archive(self._workers, place, path, name=ref))
        self._announce(container, "archive-path")
        return found

    async def archive_put(
        self, ref: str, path: str, body: AsyncIterator[bytes], *, no_overwrite_dir_non_dir: bool, copy_uid_gid: bool
    ) -> None:
        container = self._registry.find(ref)
        with gone_meanwhile(container, ref):
            await in_place(
                partial(self._place, container),
                lambda place: put_archive(
                    self._workers,
                    place,
                    path,
                    body,
                    name=ref,
                    no_overwrite_dir_non_dir=no_overwrite_dir_non_dir,
                    owner=container.spec.config.user if copy_uid_gid else None,
                    limits=self._limits,
                ),
            )
        self._announce(container, "extract-to-dir")

    async def commit(
        self, ref: str, *, repo: str, tag: str, comment: str, author: str, pause: bool, changes: Sequence[str], config: Config | None
    ) -> str:
        container = self._registry.find(ref)
        change = partial(self._images.changed, changes=changes)
        request = committing.request(container.spec, repo=repo, tag=tag, comment=comment, author=author, change=change, config=config)
        shim = container.shim if container.state.status is Status.RUNNING else None
        with gone_meanwhile(container, ref):
            image = await committing.commit(
                self._images,
                request,
                pause=pause,
                freeze=shim.pause if shim is not None else None,
                thaw=shim.resume if shim is not None else None,
            )
        reference = f"{repo}:{tag or 'latest'}" if repo else ""
        self._announce(container, "commit", comment=comment, imageID=image, imageRef=reference)
        return image

    async def _root(self, container: Container, stopped: bool) -> RootMount | int:
        """A running container is reached as its processes see it, a stopped one by its snapshot."""
        if container.running and container.shim is not None and not stopped:
            return container.shim.pid
        return await self._snapshots.mounts(container.id)

    async def _place(self, container: Container, stopped: bool) -> Place:
        spec = container.spec
        root = seen_from_outside(await self._root(container, stopped), self._settings, spec.host)
        return Place(
            root=root,
            mounts=spec.mounts,
            read_only=spec.host.readonly_rootfs,
            views={} if container.running and not stopped else await views(spec, self._snapshots, self._settings),
            userns=self._userns if isinstance(root, Mapped) else -1,
        )

    def _log_plan(self, container: Container) -> LogPlan:
        return readable(container.spec, ContainerPaths(self._settings.data_root, container.id))

    def _running(self, ref: str) -> Container:
        container = self._registry.find(ref)
        if not container.running or container.shim is None:
            raise ConflictError(f"container {container.id} is not running")
        return container
