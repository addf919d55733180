"""After a start of the daemon: take up what still runs, finish or undo what was begun, sweep what nobody owns.

Everything is worked out from what is found (shims, snapshots, directories, links), never from a list that could be stale.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import msgspec

from argosy.base.clock import Clock
from argosy.engine import lifecycle, networking
from argosy.engine.container import Container
from argosy.engine.exits import Exits
from argosy.engine.lifecycle import Act
from argosy.engine.model import Status
from argosy.engine.mounting import Mounting
from argosy.engine.paths import ContainerPaths, present
from argosy.engine.ports import Networks, Runtime, Shim, Snapshots
from argosy.engine.registry import Registry
from argosy.engine.sandboxes import Sandboxes
from argosy.engine.settings import EngineSettings
from argosy.engine.store import ContainerStore
from argosy.network.model import Sandbox, SandboxRequest
from argosy.runtime.model import Exited, ExitRecord

_log = logging.getLogger(__name__)
_AT_ONCE = 32


class Boot:
    def __init__(
        self,
        *,
        registry: Registry,
        store: ContainerStore,
        runtime: Runtime,
        networks: Networks,
        snapshots: Snapshots,
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
        self._mounting = mounting
        self._sandboxes = sandboxes
        self._exits = exits
        self._finish_removal = finish_removal
        self._resume = resume
        self._settings = settings
        self._clock = clock

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
                self._take_up(container, outcome, running)
        await self._networks.adopt(running)
        await self._settle_ended(found)

    async def _end_stranger(self, container_id: str, outcome: Shim | ExitRecord | None) -> None:
        """A container whose revision was never committed, or whose removal was."""
        if outcome is not None and not isinstance(outcome, ExitRecord):
            self._runtime.kill_all(outcome)
        await self._runtime.forget(container_id)

    def _take_up(self, container: Container, shim: Shim, running: dict[str, tuple[int, SandboxRequest, Sandbox]]) -> None:
        container.shim = shim
        state = container.state
        if state.pid != shim.pid or not container.running:
            started = lifecycle.Started(shim.pid, shim.pid_start, self._clock.now_ns())
            policy = lifecycle.Policy(container.spec.host.restart_policy, container.spec.host.auto_remove)
            container.state, _ = lifecycle.decide(state, policy, started)
            self._store.save_state_behind(container)
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

    async def _settle_ended(self, found: dict[str, Shim | ExitRecord | None]) -> None:
        """Containers that ended while nobody looked, or with the host."""
        for container in self._registry:
            if container.shim is not None:
                continue
            outcome = found.get(container.id)
            if isinstance(outcome, ExitRecord) and container.running:
                await self._exits.ended(container, Exited(container.id, "", outcome))
                continue
            policy = lifecycle.Policy(container.spec.host.restart_policy, container.spec.host.auto_remove)
            before = container.state
            container.state, commands = lifecycle.decide(before, policy, lifecycle.Booted())
            if before.status in (Status.RUNNING, Status.PAUSED):
                container.state = msgspec.structs.replace(container.state, finished_at=self._clock.now_ns())
            if container.state != before:
                self._store.save_state_behind(container)
            if any(command.act is Act.REMOVE for command in commands):
                await self._finish_removal(container)
            else:
                await self._exits.perform(container, commands)

    async def sweep(self) -> None:
        """Remove snapshots and directories that belong to no container, and anonymous volumes of unborn ones."""
        await self._mounting.undo_intents()
        for key in self._snapshots.keys():  # noqa: SIM118
            if self._registry.get(key) is None:
                await self._snapshots.remove(key)
        for container_id in present(self._settings.data_root):
            if self._registry.get(container_id) is None:
                await asyncio.to_thread(ContainerPaths(self._settings.data_root, container_id).remove)
