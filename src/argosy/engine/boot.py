"""After a start of the daemon: take up what still runs, finish or undo what was begun, sweep what nobody owns.

Everything is worked out from what is found (shims, snapshots, directories, links), never from a list that could be stale.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import msgspec

from argosy.base.clock import Clock
from argosy.base.errors import ArgosyError
from argosy.engine import lifecycle, networking
from argosy.engine.container import Container
from argosy.engine.exits import Exits
from argosy.engine.lifecycle import Act
from argosy.engine.model import State, Status
from argosy.engine.mounting import Mounting
from argosy.engine.paths import ContainerPaths, present
from argosy.engine.ports import Networks, Runtime, Shim, Snapshots, Volumes
from argosy.engine.registry import Registry
from argosy.engine.sandboxes import Sandboxes
from argosy.engine.settings import EngineSettings
from argosy.engine.store import ContainerStore
from argosy.network.model import Sandbox, SandboxRequest
from argosy.runtime.model import Exited, ExitRecord

_log = logging.getLogger(__name__)
_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Strays:
    """Ids of what lay there before this daemon made anything, and that no container names."""

    snapshots: Sequence[str] = ()
    directories: Sequence[str] = ()


class Boot:
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
        sandboxes: Sandboxes,
        exits: Exits,
        finish_removal: Callable[[Container], Awaitable[None]],
        resume: Callable[[Container], None],
        settings: EngineSettings,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._store = store
        self._runtime = runtime
        self._networks = networks
        self._snapshots = snapshots
        self._volumes = volumes
        self._mounting = mounting
        self._sandboxes = sandboxes
        self._exits = exits
        self._finish_removal = finish_removal
        self._resume = resume
        self._settings = settings
        self._clock = clock
        self._strays = Strays()

    def load(self) -> None:
        """Fill the registry from the disk."""
        for spec, state in self._store.load():
            self._registry.add(Container(spec, state))

    async def adopt(self) -> None:
        """Connect to every shim that lives, and learn how the others ended; then networks take up theirs."""
        limit = asyncio.Semaphore(_AT_ONCE)
        found: dict[str, Shim | ExitRecord | None] = {}

        async def look(container_id: str) -> None:
            async with limit:
                found[container_id] = await self._runtime.adopt(container_id)

        async with asyncio.TaskGroup() as group:
            for container_id in self._runtime.known():
                group.create_task(look(container_id))
        running: dict[str, tuple[int, SandboxRequest, Sandbox]] = {}
        for container_id, outcome in found.items():
            container = self._registry.get(container_id)
            if container is None:
                await self._end_stranger(container_id, outcome)
            elif outcome is not None and not isinstance(outcome, ExitRecord):
                await self._take_up(container, outcome, running)
        await self._networks.adopt(running)
        self._sandboxes.keep_only(running)
        await self._settle_ended(found)
        await self._mounting.undo_intents()
        self._strays = Strays(
            snapshots=[key for key in self._snapshots.keys() if self._registry.get(key) is None],  # noqa: SIM118
            directories=[found for found in present(self._settings.data_root) if self._registry.get(found) is None],
        )

    async def _end_stranger(self, container_id: str, outcome: Shim | ExitRecord | None) -> None:
        """A container whose revision was never committed, or whose removal was."""
        if outcome is not None and not isinstance(outcome, ExitRecord):
            outcome.kill_all()
        await self._runtime.forget(container_id)

    async def _take_up(self, container: Container, shim: Shim, running: dict[str, tuple[int, SandboxRequest, Sandbox]]) -> None:
        container.shim = shim
        before = container.state
        if before.pid != shim.pid or not container.running:
            self._decide(container, lifecycle.Started(shim.pid, shim.pid_start, self._clock.now_ns()))
        # Whether it stands still is the kernel's to say: a state is written after the freezing.
        if (frozen := shim.paused()) != (container.state.status is Status.PAUSED):
            self._decide(container, lifecycle.Paused() if frozen else lifecycle.Resumed())
        if container.state != before:
            self._store.save_state_behind(container)
        await self._use_volumes(container)
        if networking.joined(container.spec.host.network_mode) is None:
            try:
                request = networking.sandbox_request(container.spec, self._networks, {})
            except Exception as error:
                _log.warning("container %s: its networks cannot be taken up: %s", container.name, error)
            else:
                container.request = request
                container.sandbox = self._sandboxes.load(container.id)
                running[container.id] = (shim.pid, request, container.sandbox)
        self._resume(container)

    async def _use_volumes(self, container: Container) -> None:
        """A volume with a mount of its own stays mounted as long as somebody uses it."""
        for point in container.spec.mounts:
            if point.type == "volume":
                try:
                    await self._volumes.mount(point.name, container.id)
                    container.mounted.add(point.name)
                except ArgosyError as error:
                    _log.warning("container %s: its volume cannot be taken up: %s", container.name, error)

    def _decide(self, container: Container, event: lifecycle.LifecycleEvent) -> tuple[lifecycle.Command, ...]:
        policy = lifecycle.Policy(container.spec.host.restart_policy, container.spec.host.auto_remove)
        container.state, commands = lifecycle.decide(container.state, policy, event)
        return commands

    async def _settle_ended(self, found: dict[str, Shim | ExitRecord | None]) -> None:
        """Containers that ended while nobody looked, or with the host."""
        for container in self._registry:
            if container.shim is not None:
                continue
            outcome = found.get(container.id)
            if isinstance(outcome, ExitRecord) and container.state.status is not Status.REMOVING and _untold(outcome, container.state):
                if not container.running:
                    # Its start was not written before the daemon died.
                    self._decide(container, lifecycle.Started(0, 0, container.state.started_at or outcome.finished_at))
                await self._exits.ended(container, Exited(container.id, "", outcome))
                continue
            before = container.state
            commands = self._decide(container, lifecycle.Booted())
            if before.status in (Status.RUNNING, Status.PAUSED):
                container.state = msgspec.structs.replace(container.state, finished_at=self._clock.now_ns())
            if container.state != before:
                self._store.save_state_behind(container)
            if any(command.act is Act.REMOVE for command in commands):
                await self._finish_removal(container)
            else:
                await self._exits.perform(container, commands)

    async def sweep(self) -> None:
        """Remove what `adopt` found to belong to no container; beside the API, which makes new ones meanwhile."""
        for volume in self._volumes.list_():
            # Only what nobody uses is unmounted: a start that was cut off may have left it mounted.
            await self._volumes.unmount(volume.name, "")
        strays, self._strays = self._strays, Strays()
        for key in strays.snapshots:
            await self._snapshots.remove(key)
        for container_id in strays.directories:
            await asyncio.to_thread(ContainerPaths(self._settings.data_root, container_id).remove)


def _untold(record: ExitRecord, state: State) -> bool:
    """Return whether the state does not tell of this exit: states are written behind, records before anybody is told."""
    return state.status in (Status.RUNNING, Status.PAUSED) or state.finished_at < record.finished_at
