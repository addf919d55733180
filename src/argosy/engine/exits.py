"""The end of a program: the shim's exit record comes in, `lifecycle.decide` says what follows, and it is done here."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import msgspec

from argosy.base.tasks import Supervisor
from argosy.engine import lifecycle
from argosy.engine.announce import Announcer
from argosy.engine.container import Container
from argosy.engine.execs import ExecEnds
from argosy.engine.health import stopped
from argosy.engine.lifecycle import Act, Command
from argosy.engine.model import Status
from argosy.engine.ports import Runtime
from argosy.engine.registry import Registry
from argosy.engine.release import Releaser
from argosy.engine.store import ContainerStore
from argosy.runtime.model import Exited

_log = logging.getLogger(__name__)


class Exits:
    def __init__(
        self,
        *,
        registry: Registry,
        store: ContainerStore,
        runtime: Runtime,
        releaser: Releaser,
        execs: ExecEnds,
        start: Callable[[Container], Awaitable[None]],
        remove: Callable[[Container], Awaitable[None]],
        announce: Announcer,
        supervisor: Supervisor,
    ) -> None:
        self._registry = registry
        self._store = store
        self._runtime = runtime
        self._releaser = releaser
        self._execs = execs
        self._start = start
        self._remove = remove
        self._announce = announce
        self._supervisor = supervisor
        self._closing = False

    def listen(self) -> None:
        """Take the runtime's reports from now on."""
        self._runtime.on_exit(self._exited)
        self._runtime.on_oom(self._out_of_memory)

    def close(self) -> None:
        """Begin no restart any more: the daemon goes away, its containers stay."""
        self._closing = True
        for container in self._registry:
            if container.restart_timer is not None:
                container.restart_timer.cancel()

    def _exited(self, report: Exited) -> None:
        container = self._registry.get(report.container_id)
        if container is None:
            return
        if report.exec_id:
            self._execs.ended(container, report.exec_id, report.record)
            return
        self._supervisor.spawn(self.ended(container, report), name=f"exit of {container.id[:12]}")

    def _out_of_memory(self, container_id: str) -> None:
        if (container := self._registry.get(container_id)) is not None:
            self._announce(container, "oom")

    async def ended(self, container: Container, report: Exited) -> None:
        """Take the state on, tell who waits, give back the host's resources, and start again if the policy wants it."""
        async with container.lock:
            if not container.running and container.state.status is not Status.REMOVING:
                return
            spec = container.spec
            policy = lifecycle.Policy(spec.host.restart_policy, spec.host.auto_remove and not container.keep, container.attempt_delay)
            container.state, commands = lifecycle.decide(container.state, policy, lifecycle.Exited(report.record))
            container.shim = None
            self._execs.all_ended(container)
            rest = [command for command in commands if not await self._do_in_order(container, command)]
            container.cleanup = self._supervisor.spawn(self._clean(container), name=f"clean up {container.id[:12]}")
        for command in rest:
            await self._do_unlocked(container, command)

    async def _clean(self, container: Container) -> None:
        """The exit record goes only when the disk knows what it tells."""
        if not container.removed:
            await self._store.save_state(container)
        await self._runtime.forget(container.id)

    async def _do_in_order(self, container: Container, command: Command) -> bool:
        """Carry out what belongs under the container's lock; False for the others."""
        match command.act:
            case Act.TELL_EXIT:
                if container.health_task is not None:
                    container.health_task.cancel()
                    container.health_task = None
                    container.state = msgspec.structs.replace(container.state, health=stopped(container.state.health))
                state = container.state
                self._announce(
                    container,
                    "die",
                    exitCode=str(state.exit_code),
                    execDuration=str(max(0, (state.finished_at - state.started_at) // 1_000_000_000)),
                )
                container.tell_exit()
            case Act.RELEASE:
                await self._releaser.release(container)
            case _:
                return False
        return True

    async def _do_unlocked(self, container: Container, command: Command) -> None:
        match command.act:
            case Act.RESTART if not self._closing:
                container.attempt_delay = command.delay
                container.restart_timer = asyncio.get_running_loop().call_later(command.delay, self._restart, container)
            case Act.REMOVE:
                await self._remove(container)
            case Act.START:
                self._restart(container)

    def _restart(self, container: Container) -> None:
        container.restart_timer = None
        self._supervisor.spawn(self._start_again(container), name=f"restart of {container.id[:12]}")

    async def _start_again(self, container: Container) -> None:
        if container.removed or container.state.manually_stopped or container.running:
            return
        try:
            await self._start(container)
        except Exception as error:
            _log.warning("cannot restart container %s: %s", container.name, error)
            await self._retry_later(container)

    async def _retry_later(self, container: Container) -> None:
        """A start that fails counts like a run that failed at once (moby ``restartmanager``)."""
        spec = container.spec
        if self._closing or container.removed or not lifecycle.wants_restart(container.state, spec.host.restart_policy):
            return
        delay = lifecycle.next_delay(container.attempt_delay, ran_ns=0)
        container.state = lifecycle.again(container.state)
        container.attempt_delay = delay
        container.restart_timer = asyncio.get_running_loop().call_later(delay, self._restart, container)

    async def perform(self, container: Container, commands: tuple[Command, ...]) -> None:
        """Carry out commands that another event than an exit gave (boot)."""
        for command in commands:
            if not await self._do_in_order(container, command):
                await self._do_unlocked(container, command)
