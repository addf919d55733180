"""One container in the daemon's memory: its revision, its state, and who is interested in it."""

import asyncio
from dataclasses import dataclass, field

import msgspec

from argosy.base.tasks import Supervisor
from argosy.engine.model import ContainerSpec, Endpoint, EndpointSettings, ExecSpec, ExecState, State, Status
from argosy.engine.ports import Shim
from argosy.network.model import Sandbox, SandboxRequest
from argosy.runtime.model import AttachRequest, ExitRecord


@dataclass(slots=True)
class Exec:
    """A process started beside the container's own; lives as long as its container runs."""

    spec: ExecSpec
    state: ExecState = field(default_factory=ExecState)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class PendingAttach:
    """A client that attached before the start; its socket is handed to the shim when there is one."""

    request: AttachRequest
    sock: int
    first: bytes
    done: "asyncio.Future[None]"


class Container:
    """A handle. Values inside are replaced, never changed; each replacement makes a new ``generation``."""

    __slots__ = (
        "__weakref__",
        "_exit_waiters",
        "_removal_waiters",
        "_spec",
        "_state",
        "attempt_delay",
        "cleanup",
        "execs",
        "generation",
        "health_task",
        "keep",
        "lock",
        "mounted",
        "pending",
        "removed",
        "request",
        "restart_timer",
        "run_ended",
        "sandbox",
        "shim",
        "tasks",
    )

    def __init__(self, spec: ContainerSpec, state: State) -> None:
        self._spec = spec
        self._state = state
        self.generation = 0
        self.lock = asyncio.Lock()
        """Held while host resources of the container are made or given back."""
        self.shim: Shim | None = None
        self.request: SandboxRequest | None = None
        self.sandbox = Sandbox(endpoints={}, ports={})
        self.cleanup: asyncio.Task[None] | None = None
        """Of the last run: its cgroup and records go while nobody waits; the next start does."""
        self.execs: dict[str, Exec] = {}
        self.mounted: set[str] = set()
        """Volumes that this run has mounted."""
        self.pending: list[PendingAttach] = []
        self.attempt_delay = 0.0
        self.run_ended = asyncio.Event()
        """Of this run; a new one at each start. Followers of the log wait for it."""
        self.restart_timer: asyncio.TimerHandle | None = None
        self.health_task: asyncio.Task[None] | None = None
        self.tasks = Supervisor()
        self.removed = False
        self.keep = False
        """A restart is going on: ``--rm`` does not apply to this exit."""
        self._exit_waiters: list[asyncio.Future[ExitRecord]] = []
        self._removal_waiters: list[asyncio.Future[ExitRecord]] = []

    @property
    def id(self) -> str:
        return self._spec.id

    @property
    def name(self) -> str:
        return self._spec.name

    @property
    def spec(self) -> ContainerSpec:
        return self._spec

    @spec.setter
    def spec(self, value: ContainerSpec) -> None:
        self._spec = msgspec.structs.replace(value, revision=self._spec.revision + 1)
        self.generation += 1

    @property
    def state(self) -> State:
        return self._state

    @state.setter
    def state(self, value: State) -> None:
        self._state = value
        self.generation += 1

    @property
    def running(self) -> bool:
        """Whether a process of it exists (a paused container runs)."""
        return self._state.status in (Status.RUNNING, Status.PAUSED)

    def endpoints(self) -> dict[str, Endpoint]:
        return dict(self.sandbox.endpoints)

    def endpoint_settings(self) -> dict[str, EndpointSettings]:
        return dict(self._spec.networks)

    # -- waiting

    def next_exit(self) -> "asyncio.Future[ExitRecord]":
        """Return a future of the next exit; it also ends when the container is removed."""
        future: asyncio.Future[ExitRecord] = asyncio.get_running_loop().create_future()
        self._exit_waiters.append(future)
        return future

    def removal(self) -> "asyncio.Future[ExitRecord]":
        """Return a future that ends when the container is gone."""
        future: asyncio.Future[ExitRecord] = asyncio.get_running_loop().create_future()
        self._removal_waiters.append(future)
        return future

    def tell_exit(self) -> None:
        """Wake who waits for an exit with the state as it is now."""
        self.run_ended.set()
        waiters, self._exit_waiters = self._exit_waiters, []
        _wake(waiters, self.last_exit())

    def tell_removed(self) -> None:
        self.removed = True
        self.tell_exit()
        waiters, self._removal_waiters = self._removal_waiters, []
        _wake(waiters, self.last_exit())

    def last_exit(self) -> ExitRecord:
        state = self._state
        return ExitRecord(exit_code=state.exit_code, finished_at=state.finished_at, oom_killed=state.oom_killed, error=state.error)


def _wake(waiters: "list[asyncio.Future[ExitRecord]]", record: ExitRecord) -> None:
    for future in waiters:
        if not future.done():
            future.set_result(record)
