"""One program run to its end in a container that nobody sees: no revision, no state, no events, no name.

Confined, limited and networked like any container, out of the same parts. What a crash of the daemon leaves is a container
that no revision names: `engine.boot` ends it and sweeps what belonged to it.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Callable

import msgspec

from argosy.base.errors import InvalidParameterError, SystemFailureError
from argosy.base.failpoints import hit
from argosy.base.tasks import Supervisor
from argosy.engine import networking, userns
from argosy.engine.confinement import Confinement
from argosy.engine.create import Validate, fill_host
from argosy.engine.labelling import Labelling
from argosy.engine.model import ContainerSpec
from argosy.engine.paths import ContainerPaths
from argosy.engine.ports import Networks, Runtime, Shim
from argosy.engine.registry import Registry
from argosy.engine.relabel import relabel_own, relabel_root
from argosy.engine.settings import EngineSettings
from argosy.engine.spec import build_spec
from argosy.engine.start import cgroups_path, failure
from argosy.network.model import Sandbox, SandboxRequest
from argosy.runtime.model import AttachRequest, Exited, ExitRecord, LogPlan, StartFailed, StartRequest
from argosy.storage.model import RootMount

_CHUNK = 1 << 16
Heard = Callable[[int, bytes], None]
"""Stream (1 stdout, 2 stderr) and bytes."""
_HEADER = struct.Struct(">BxxxI")
"""Of a frame of a multiplexed stream (Engine API, attach)."""


class Transient:
    """`listen` comes before the first `run`."""

    def __init__(
        self,
        *,
        registry: Registry,
        runtime: Runtime,
        networks: Networks,
        confinement: Confinement,
        labelling: Labelling,
        validate: Validate,
        settings: EngineSettings,
        supervisor: Supervisor,
    ) -> None:
        self._registry = registry
        self._runtime = runtime
        self._networks = networks
        self._confinement = confinement
        self._labelling = labelling
        self._validate = validate
        self._settings = settings
        self._supervisor = supervisor
        self._ends: dict[str, asyncio.Future[ExitRecord]] = {}

    def listen(self) -> None:
        """Take the runtime's reports from now on."""
        self._runtime.on_exit(self._exited)

    def _exited(self, report: Exited) -> None:
        end = self._ends.get(report.container_id)
        if end is not None and not report.exec_id and not end.done():
            end.set_result(report.record)

    def settle(self, spec: ContainerSpec) -> ContainerSpec:
        """Return the revision with the daemon's defaults. Raises InvalidParameterError in Docker's words."""
        host = self._labelling.settle(fill_host(spec.host, self._settings))
        host, _ = self._validate(spec.config, host)
        return msgspec.structs.replace(spec, host=host, networks=networking.initial_networks(host.network_mode, dict(spec.networks)))

    async def run(self, spec: ContainerSpec, root: RootMount, heard: Heard) -> ExitRecord:
        """Run a settled revision's program in ``root`` and return how it ended; ``heard`` gets its output as it comes.

        Raises InvalidParameterError (it cannot be executed) or SystemFailureError with nothing left. Cancelled, it is killed.
        """
        with self._labelling.labels(spec.host) as labels:
            await relabel_root(root, labels.mount)
            return await self._run(msgspec.structs.replace(spec, process_label=labels.process, mount_label=labels.mount), root, heard)

    async def _run(self, spec: ContainerSpec, root: RootMount, heard: Heard) -> ExitRecord:
        paths = ContainerPaths(self._settings.data_root, spec.id)
        paths.make()
        self._ends[spec.id] = asyncio.get_running_loop().create_future()
        shim: Shim | None = None
        try:
            shim = await self._prepare(spec, root, paths)
            hit("transient.prepared")
            async with self._listening(shim, heard):
                await self._release(shim)
                hit("transient.released")
                return await self._ends[spec.id]
        except BaseException:
            if shim is not None:
                await asyncio.shield(shim.abandon())
            raise
        finally:
            del self._ends[spec.id]
            self._supervisor.spawn(self._clean(spec.id, paths), name=f"clean up build step {spec.id[:12]}")

    async def _prepare(self, spec: ContainerSpec, root: RootMount, paths: ContainerPaths) -> Shim:
        with networking.explaining():
            request = networking.sandbox_request(spec, self._networks, {})
        target = networking.join_target(self._registry, spec.id, spec.host.network_mode, "network")
        await self._confinement.ready(spec)
        join: dict[str, int] = {}
        if target is not None:
            join = {"network": target.state.pid, **userns.joined(self._settings, spec, [target])}
        start = self._request(spec, root, paths, join)
        paths.write_etc(hostname=request.hostname, hosts=b"", resolv_conf=b"")
        await relabel_own((paths.hostname, paths.hosts, paths.resolv_conf), spec.mount_label, shared=False)
        sandbox, shim = await self._both(request, start)
        if target is not None:
            return shim
        try:
            hosts = self._networks.hosts(request, sandbox)
            paths.write_etc(hostname=request.hostname, hosts=hosts, resolv_conf=self._networks.resolv_conf(request))
            await networking.explained(self._networks.attach(spec.id, shim.pid))
        except BaseException:
            await asyncio.shield(shim.abandon())
            raise
        return shim

    async def _both(self, request: SandboxRequest, start: StartRequest) -> tuple[Sandbox, Shim]:
        """Addresses and the waiting init do not need each other; whichever fails takes the other back."""
        preparing = asyncio.ensure_future(self._runtime.prepare(start))
        try:
            if start.join:
                sandbox = Sandbox(endpoints={}, ports={})
            else:
                sandbox = await networking.explained(self._networks.reserve(request))
            return sandbox, await asyncio.shield(preparing)
        except BaseException as error:
            await asyncio.wait([preparing])
            if not preparing.cancelled() and preparing.exception() is None:
                await preparing.result().abandon()
            if isinstance(error, StartFailed):
                raise _told(error) from error
            raise

    def _request(self, spec: ContainerSpec, root: RootMount, paths: ContainerPaths, join: dict[str, int]) -> StartRequest:
        files = {"/etc/resolv.conf": paths.resolv_conf, "/etc/hostname": paths.hostname, "/etc/hosts": paths.hosts}
        inputs = self._confinement.inputs(
            spec,
            mounts=spec.mounts,
            files=files,
            cgroups_path=cgroups_path(self._settings, spec.host.cgroup_parent, spec.id),
            private_cgroup=spec.host.cgroupns_mode == "private",
            join=join,
            uid_map=self._settings.uid_map,
            gid_map=self._settings.gid_map,
        )
        return StartRequest(
            id=spec.id,
            spec=build_spec(spec, inputs),
            rootfs=root,
            log=LogPlan("none"),
            terminal=False,
            open_stdin=False,
            stdin_once=False,
            console_size=(0, 0),
            init=False,
            join=join,
        )

    @staticmethod
    async def _release(shim: Shim) -> None:
        try:
            await shim.release()
        except StartFailed as error:
            raise _told(error) from error

    @contextlib.asynccontextmanager
    async def _listening(self, shim: Shim, heard: Heard) -> AsyncIterator[None]:
        """Pass the output on while the block runs, and after it what is still on the way."""
        ours, theirs = socket.socketpair()
        with ours:
            ours.setblocking(False)
            with theirs:
                await shim.attach(AttachRequest(stdin=False, stdout=True, stderr=True, multiplexed=True), theirs.fileno(), b"")
            reading = asyncio.ensure_future(_read(ours, heard))
            try:
                yield
                await reading
            finally:
                reading.cancel()
                await asyncio.wait([reading])

    async def _clean(self, container_id: str, paths: ContainerPaths) -> None:
        await self._networks.release(container_id)
        await self._runtime.forget(container_id)
        await asyncio.to_thread(paths.remove)


async def _read(sock: socket.socket, heard: Heard) -> None:
    loop = asyncio.get_running_loop()
    pending = b""
    while data := await loop.sock_recv(sock, _CHUNK):
        pending += data
        while len(pending) >= _HEADER.size:
            stream, length = _HEADER.unpack_from(pending)
            end = _HEADER.size + length
            if len(pending) < end:
                break
            heard(stream, pending[_HEADER.size : end])
            pending = pending[end:]


def _told(error: StartFailed) -> Exception:
    code, message = failure(error)
    return InvalidParameterError(message) if code in (126, 127) else SystemFailureError(message)
