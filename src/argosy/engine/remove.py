"""Removing a container: its process, its revision (one commit: from then on it is gone), then what it held on the host.

A crash before the commit leaves a container (ended, if ``force`` killed it), a crash after it leaves a snapshot and files
without an owner, which `engine.boot` sweeps.
"""

import asyncio

from argosy.base.errors import ArgosyError, ConflictError, SystemFailureError
from argosy.base.failpoints import hit
from argosy.base.tasks import Supervisor
from argosy.engine import lifecycle
from argosy.engine.announce import Announcer
from argosy.engine.container import Container
from argosy.engine.model import Status
from argosy.engine.mounting import Mounting
from argosy.engine.paths import ContainerPaths
from argosy.engine.ports import Runtime, Snapshots, Volumes
from argosy.engine.registry import Registry
from argosy.engine.release import Releaser
from argosy.engine.settings import EngineSettings
from argosy.engine.store import ContainerStore


class Remover:
    def __init__(
        self,
        *,
        registry: Registry,
        store: ContainerStore,
        runtime: Runtime,
        snapshots: Snapshots,
        volumes: Volumes,
        mounting: Mounting,
        releaser: Releaser,
        settings: EngineSettings,
        announce: Announcer,
        supervisor: Supervisor,
    ) -> None:
        self._registry = registry
        self._store = store
        self._runtime = runtime
        self._snapshots = snapshots
        self._volumes = volumes
        self._mounting = mounting
        self._releaser = releaser
        self._settings = settings
        self._announce = announce
        self._supervisor = supervisor

    async def remove(self, container: Container, *, force: bool, volumes: bool) -> None:
        """Remove it. Raises ConflictError when it runs (without ``force``) or is being removed, in Docker's words."""
        if container.state.status is Status.REMOVING:
            if not force:
                raise ConflictError(f"removal of container {container.id} is already in progress")
            await container.removal()
            return
        await self._end(container, force=force, volumes=volumes)
        await self._delete(container, volumes=volumes)

    async def auto_remove(self, container: Container) -> None:
        """``--rm``: the program has ended; anonymous volumes go too."""
        async with container.lock:
            if container.removed or container.running or container.state.status is Status.REMOVING:
                return
            await self._mark(container, volumes=True)
        await self._delete(container, volumes=True)

    async def finish(self, container: Container) -> None:
        """Take up a removal that an earlier daemon began, or should have; only ``--rm`` says for certain that volumes go too."""
        await self._delete(container, volumes=container.spec.host.auto_remove)

    async def _end(self, container: Container, *, force: bool, volumes: bool) -> None:
        """Mark it, and kill what runs; returns when its exit has been dealt with. Raises ConflictError."""
        # A start that is under way ends first: what it made would outlive the container. The mark refuses all later ones.
        async with container.lock:
            if not force and (container.running or container.state.status is Status.RESTARTING):
                raise ConflictError(_refusal(container))
            if container.restart_timer is not None:
                container.restart_timer.cancel()
                container.restart_timer = None
            ended = container.next_exit() if container.running else None
            await self._mark(container, volumes=volumes)
        if ended is not None and (shim := container.shim) is not None:
            self._announce(container, "kill", signal="9")
            shim.kill_all()
            done, _ = await asyncio.wait([ended], timeout=30)
            if not done:
                raise SystemFailureError(f"cannot remove container {container.name}: its processes do not end (tried SIGKILL)")

    async def _mark(self, container: Container, *, volumes: bool) -> None:
        """From here on the container only goes; its anonymous volumes are noted first, as nothing names them once it is gone."""
        names = [point.name for point in container.spec.mounts if point.type == "volume" and point.anonymous]
        container.state, _ = lifecycle.decide(container.state, _policy(container), lifecycle.RemoveAsked())
        if volumes and names:
            await self._mounting.give_up(container.id, names)
        self._store.save_state_behind(container)

    async def _delete(self, container: Container, *, volumes: bool) -> None:
        async with container.lock:
            if container.removed:
                return
            hit("remove.ended")
            await self._store.delete(container.id)
            hit("remove.committed")
            self._registry.remove(container)
            container.removed = True
            if container.request is not None:
                await self._releaser.release(container)
            await self._snapshots.remove(container.id)
            if volumes:
                await self._remove_volumes(container)
                await self._mounting.done(container.id)
        self._supervisor.spawn(self._sweep(container), name=f"sweep {container.id[:12]}")
        self._announce(container, "destroy")
        container.tell_removed()

    async def _remove_volumes(self, container: Container) -> None:
        """Only volumes made for this container alone, and nobody else's by now."""
        used = {point.name for other in self._registry for point in other.spec.mounts if point.type == "volume"}
        for point in container.spec.mounts:
            if point.type == "volume" and point.anonymous and point.name not in used:
                try:
                    await self._volumes.remove(point.name, True)
                except ArgosyError:
                    continue

    async def _sweep(self, container: Container) -> None:
        """What nobody waits for; a boot does the rest when the daemon dies here."""
        if container.cleanup is not None:
            await asyncio.wait([container.cleanup])
        await self._runtime.forget(container.id)
        await asyncio.to_thread(ContainerPaths(self._settings.data_root, container.id).remove)


def _policy(container: Container) -> lifecycle.Policy:
    return lifecycle.Policy(container.spec.host.restart_policy, container.spec.host.auto_remove)


def _refusal(container: Container) -> str:
    status = container.state.status
    if status is Status.PAUSED:
        return f'cannot remove container "{container.name}": container is paused and must be unpaused first'
    return f'cannot remove container "{container.name}": container is {status.value}: stop the container before removing or force remove'
