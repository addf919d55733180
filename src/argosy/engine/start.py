"""Starting a container: addresses and ports, mounts, the runtime, then the user's program.

Order, and what a crash leaves at each step (`engine.boot` sweeps it):

1. volumes mounted                     mounts that carry our id, without a running container
2. addresses reserved, ports bound     held by netd for a container that does not run
   and, at the same time, init prepared  a shim whose daemon went away before the release: it ends itself
3. endpoints attached, clients attached
4. released: the program runs          a running container, adopted
5. state written behind                the shim knows
"""

import asyncio
import functools
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from argosy.base import ids
from argosy.base.clock import Clock
from argosy.base.errors import ArgosyError, ConflictError, InvalidParameterError, NotModifiedError, SystemFailureError
from argosy.base.failpoints import hit
from argosy.engine import cdi, lifecycle, networking, userns
from argosy.engine.announce import Announcer
from argosy.engine.confinement import Confinement
from argosy.engine.container import Container
from argosy.engine.health_watch import HealthWatch
from argosy.engine.image_mounts import trees
from argosy.engine.logs.place import written
from argosy.engine.model import ContainerSpec, MountPoint, Status
from argosy.engine.mounting import Ids, Mounting
from argosy.engine.paths import ContainerPaths
from argosy.engine.ports import Networks, Runtime, Shim, Snapshots, Volumes
from argosy.engine.registry import Registry
from argosy.engine.relabel import relabel_mounts, relabel_own
from argosy.engine.release import Releaser
from argosy.engine.sandboxes import Sandboxes
from argosy.engine.settings import EngineSettings
from argosy.engine.spec import SpecInputs, build_spec
from argosy.engine.spec.devices import list_host_devices
from argosy.engine.store import ContainerStore
from argosy.network.model import Sandbox
from argosy.oci.runtime_spec import RuntimeSpec
from argosy.runtime.model import StartFailed, StartRequest, Tree
from argosy.storage.model import RootMount


class Starter:
    def __init__(
        self,
        *,
        registry: Registry,
        store: ContainerStore,
        runtime: Runtime,
        networks: Networks,
        snapshots: Snapshots,
        volumes: Volumes,
        mounting: Mounting,
        releaser: Releaser,
        sandboxes: Sandboxes,
        confinement: Confinement,
        health: HealthWatch,
        remove: Callable[[Container], Awaitable[None]],
        settings: EngineSettings,
        announce: Announcer,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._store = store
        self._runtime = runtime
        self._networks = networks
        self._snapshots = snapshots
        self._volumes = volumes
        self._mounting = mounting
        self._releaser = releaser
        self._sandboxes = sandboxes
        self._confinement = confinement
        self._health = health
        self._remove = remove
        self._settings = settings
        self._announce = announce
        self._clock = clock

    async def start(self, container: Container) -> None:
        """Run the container's program. Raises NotModifiedError when it runs already, ConflictError when it cannot now,
        InvalidParameterError or SystemFailureError in Docker's words when the start failed; then nothing is kept."""
        async with container.lock:
            _check_startable(container)
            if container.cleanup is not None:
                await asyncio.wait([container.cleanup])
            if container.restart_timer is not None:
                container.restart_timer.cancel()
                container.restart_timer = None
            try:
                await self._run(container)
            except Exception as error:
                failed, told = error, await self._failed(container, error)
            else:
                self._store.save_state_behind(container)
                return
        if container.spec.host.auto_remove and not container.keep:
            await self._remove(container)
        raise told from failed

    async def _run(self, container: Container) -> None:
        spec = container.spec
        await self._confinement.ready(spec)
        targets = self._join_targets(container)
        join = {kind: target.state.pid for kind, target in targets.items()}
        join |= userns.joined(self._settings, spec, targets.values())
        with networking.explaining():
            networking.check_alone(spec)
            links = networking.parse_links(spec.host.links or (), self._registry)
            request = networking.sandbox_request(spec, self._networks, links)
        paths = ContainerPaths(self._settings.data_root, spec.id)
        # At each start: nothing synced it, so a power cut may have taken it, and nothing in it is older than a start but logs.
        paths.make()
        points = await self._mount_volumes(container)
        labels = self._confinement.labels(spec)
        await relabel_mounts(points, labels.mount)
        hit("start.mounted")
        root = await self._snapshots.mounts(spec.id)
        await self._mounting.copy_up_at_start(spec, root, self._ids(spec), first=not container.state.started_at)
        files = self._etc_files(paths, targets.get("network"))
        if "network" not in join:
            # The files are bind mounted while they are still empty; their content follows when addresses are known.
            paths.write_etc(hostname=request.hostname, hosts=b"", resolv_conf=b"")
        await relabel_own(files.values(), labels.mount, shared="network" in targets)
        neighbours = networking.link_environment(spec, self._registry)
        built = build_spec(spec, self._inputs(container, points, files, join, targets, neighbours))
        built = await self._with_devices(spec, built)
        views = await trees(points, self._snapshots)
        shim, sandbox = await self._reserve_and_prepare(container, request, self._request(container, built, root, join, views))
        container.shim, container.request, container.sandbox = shim, request, sandbox
        hit("start.prepared")
        if "network" not in join:
            self._sandboxes.save(spec.id, sandbox)
            hosts = self._networks.hosts(request, sandbox)
            paths.write_etc(hostname=request.hostname, hosts=hosts, resolv_conf=self._networks.resolv_conf(request))
            await networking.explained(self._networks.attach(spec.id, shim.pid))
        hit("start.attached")
        await self._hand_over_clients(container, shim)
        await shim.release()
        hit("start.released")
        policy = lifecycle.Policy(spec.host.restart_policy, spec.host.auto_remove)
        event = lifecycle.Started(shim.pid, shim.pid_start, self._clock.now_ns())
        container.state, _ = lifecycle.decide(container.state, policy, event)
        container.run_ended = asyncio.Event()
        self._health.begin(container)
        self._announce(container, "start")

    async def _with_devices(self, spec: ContainerSpec, built: RuntimeSpec) -> RuntimeSpec:
        """The files are read at each start: they come and go with drivers and devices."""
        if not (names := cdi.requested(spec.host)):
            return built
        found = await asyncio.to_thread(cdi.load, self._settings.cdi_spec_dirs)
        foreign = bool(self._settings.runtimes.get(spec.host.runtime))
        return cdi.inject(built, names, found, lister=list_host_devices, runs_hooks=foreign)

    async def _reserve_and_prepare(self, container: Container, request: Any, start: StartRequest) -> tuple[Shim, Sandbox]:
        """Addresses and the waiting init do not need each other; whichever fails takes the other back."""
        if "network" in start.join:
            return await self._runtime.prepare(start), Sandbox(endpoints={}, ports={})
        reserving = networking.explained(self._networks.reserve(request))
        reserved, prepared = await asyncio.gather(reserving, self._runtime.prepare(start), return_exceptions=True)
        if isinstance(prepared, BaseException):
            raise prepared
        if isinstance(reserved, BaseException):
            container.shim = prepared
            raise reserved
        return prepared, reserved

    async def _failed(self, container: Container, error: Exception) -> Exception:
        """Take back what the start made, note the failure in the state, and return what the client is told."""
        code, message = failure(error)
        if container.shim is not None:
            await container.shim.abandon()
            container.shim = None
        await self._releaser.release(container)
        await self._runtime.forget(container.id)
        policy = lifecycle.Policy(container.spec.host.restart_policy, container.spec.host.auto_remove)
        event = lifecycle.StartFailed(code, message, self._clock.now_ns())
        container.state, _ = lifecycle.decide(container.state, policy, event)
        self._store.save_state_behind(container)
        for client in container.pending:
            os.close(client.sock)
            if not client.done.done():
                client.done.set_result(None)
        container.pending.clear()
        container.tell_exit()
        self._announce(container, "die", exitCode=str(code))
        if isinstance(error, ArgosyError):
            return error
        if isinstance(error, StartFailed) and code in (126, 127):
            return InvalidParameterError(message)
        return SystemFailureError(message)

    # -- parts of a start

    def _join_targets(self, container: Container) -> dict[str, Container]:
        host = container.spec.host
        modes = {"network": host.network_mode, "ipc": host.ipc_mode, "pid": host.pid_mode}
        found = {}
        for kind, mode in modes.items():
            target = networking.join_target(self._registry, container.id, mode, kind)
            if target is not None:
                found[kind] = target
        return found

    def _ids(self, spec: ContainerSpec) -> Ids | None:
        uids, gids = userns.mappings(self._settings, spec.host)
        return (userns.ranges(uids), userns.ranges(gids)) if uids else None

    async def _mount_volumes(self, container: Container) -> list[MountPoint]:
        """Return the points with volumes at their host paths; a bind whose source has gone is refused."""
        found = []
        for point in container.spec.mounts:
            if point.type == "volume":
                source = await self._volumes.mount(point.name, container.id)
                container.mounted.add(point.name)
                self._announce.mounted(container, point)
                found.append(msgspec.structs.replace(point, source=source))
            else:
                found.append(point)
        return found

    def _etc_files(self, paths: ContainerPaths, network_of: Container | None) -> Mapping[str, str]:
        if network_of is not None:
            other = ContainerPaths(self._settings.data_root, network_of.id)
            return {"/etc/resolv.conf": other.resolv_conf, "/etc/hostname": other.hostname, "/etc/hosts": other.hosts}
        return {"/etc/resolv.conf": paths.resolv_conf, "/etc/hostname": paths.hostname, "/etc/hosts": paths.hosts}

    def _inputs(
        self,
        container: Container,
        points: list[MountPoint],
        files: Mapping[str, str],
        join: Mapping[str, int],
        targets: Mapping[str, Container],
        env: list[str],
    ) -> SpecInputs:
        spec, settings = container.spec, self._settings
        uids, gids = userns.mappings(settings, spec.host)
        return self._confinement.inputs(
            spec,
            mounts=points,
            files=files,
            cgroups_path=cgroups_path(settings, spec.host.cgroup_parent, spec.id),
            private_cgroup=_private_cgroup(settings, spec.host.cgroupns_mode),
            shm_source=_shm_source(spec.host.ipc_mode, targets.get("ipc")),
            join=join,
            env=env,
            uid_map=uids,
            gid_map=gids,
        )

    def _request(
        self, container: Container, built: RuntimeSpec, root: RootMount, join: Mapping[str, int], views: Mapping[str, Tree]
    ) -> StartRequest:
        spec = container.spec
        return StartRequest(
            id=spec.id,
            spec=built,
            rootfs=root,
            log=written(spec, ContainerPaths(self._settings.data_root, spec.id)),
            terminal=spec.config.tty,
            open_stdin=spec.config.open_stdin,
            stdin_once=spec.config.stdin_once,
            console_size=spec.host.console_size,
            init=self._settings.init if spec.host.init is None else spec.host.init,
            join=join,
            trees=views,
            runtime=self._settings.runtimes.get(spec.host.runtime, ""),
        )

    async def _hand_over_clients(self, container: Container, shim: Shim) -> None:
        """Clients that attached before the start get their streams before the program writes its first byte."""
        pending, container.pending = container.pending, []
        for client in pending:
            ended = await shim.attach(client.request, client.sock, client.first)
            os.close(client.sock)
            ended.add_done_callback(functools.partial(_let_go, client.done))


def _let_go(done: "asyncio.Future[None]", _: "asyncio.Future[None]") -> None:
    if not done.done():
        done.set_result(None)


def failure(error: Exception) -> tuple[int, str]:
    """Return (exit code of the container, message)."""
    if isinstance(error, StartFailed):
        return error.code, str(error)
    return 128, str(error)


def cgroups_path(settings: EngineSettings, parent: str, container_id: str) -> str:
    """Return OCI ``cgroupsPath``: a path under cgroupfs, ``slice:argosy:id`` under systemd."""
    if settings.systemd_cgroup:
        return f"{parent or settings.cgroup_parent}:argosy:{container_id}"
    return os.path.join("/", parent or settings.cgroup_parent, container_id)


def _private_cgroup(settings: EngineSettings, mode: str) -> bool:
    return settings.private_cgroup if mode == "" else mode == "private"


def _shm_source(mode: str, target: Container | None) -> str:
    """A joined IPC namespace shares /dev/shm too, as POSIX shared memory lives there (shm_overview(7))."""
    if target is not None:
        return f"/proc/{target.state.pid}/root/dev/shm"
    return "/dev/shm" if mode == "host" else ""


def _check_startable(container: Container) -> None:
    match container.state.status:
        case Status.RUNNING:
            raise NotModifiedError("container already started")
        case Status.PAUSED:
            raise ConflictError("cannot start a paused container, try unpause instead")
        case Status.REMOVING | Status.DEAD:
            raise ConflictError("container is marked for removal and cannot be started")
    if container.removed:
        raise ConflictError(f"container {ids.short(container.id)} is marked for removal and cannot be started")
