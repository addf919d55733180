"""What happens next in a container's life: ``decide(state, policy, event) → (state, commands)``. Pure.

    created ──start──▶ running ◀──resume── paused          any not running ──remove──▶ removing ──▶ gone
                        │  ▲ └─────pause─────▲
                       exit └──timer── restarting (the policy wants it again)
                        └────────────▶ exited

* A container that the user stopped or killed by ``stop`` is not restarted until it is started again.
* The delay before a restart doubles from 100 ms to one minute and is reset once the container ran for ten seconds
  (moby ``restartmanager``).
* ``on-failure`` restarts only after a non-zero exit, at most ``maximum_retry_count`` times when that is given.
* After a boot (`Booted`) ``always`` starts again whatever stopped it, ``unless-stopped`` unless the user stopped it, and
  ``on-failure`` only when it was running and failed with the host.
"""

from dataclasses import dataclass
from enum import Enum, auto

import msgspec

from argosy.engine.model import RestartPolicy, State, Status
from argosy.runtime.model import ExitRecord

FIRST_DELAY = 0.1
LONGEST_DELAY = 60.0
LONG_ENOUGH_NS = 10_000_000_000


@dataclass(frozen=True, slots=True)
class Policy:
    """The part of the specification that decides."""

    restart: RestartPolicy
    auto_remove: bool
    last_delay: float = 0.0
    """The delay before the start that just ended, seconds."""


@dataclass(frozen=True, slots=True)
class Started:
    pid: int
    pid_start: int
    at: int


@dataclass(frozen=True, slots=True)
class Exited:
    record: ExitRecord


@dataclass(frozen=True, slots=True)
class StartFailed:
    code: int
    message: str
    at: int


@dataclass(frozen=True, slots=True)
class StopAsked:
    """By the user: the policy is not to undo it."""


@dataclass(frozen=True, slots=True)
class Paused:
    pass


@dataclass(frozen=True, slots=True)
class Resumed:
    pass


@dataclass(frozen=True, slots=True)
class RemoveAsked:
    pass


@dataclass(frozen=True, slots=True)
class Booted:
    """The daemon came up and no process of the container is left."""


LifecycleEvent = Started | Exited | StartFailed | StopAsked | Paused | Resumed | RemoveAsked | Booted


class Act(Enum):
    RELEASE = auto()
    """Give back network, mounts and cgroup."""
    TELL_EXIT = auto()
    """Wake who waits for an exit, and publish ``die``."""
    RESTART = auto()
    """Start again after the delay."""
    REMOVE = auto()
    """Remove it with its anonymous volumes (``--rm``)."""
    START = auto()
    """Start at once."""


@dataclass(frozen=True, slots=True)
class Command:
    act: Act
    delay: float = 0.0


def decide(state: State, policy: Policy, event: LifecycleEvent) -> tuple[State, tuple[Command, ...]]:
    """Return the state after ``event`` and what is to be done, in order."""
    replace = msgspec.structs.replace
    match event:
        case Started(pid, pid_start, at):
            return replace(
                state,
                status=Status.RUNNING,
                pid=pid,
                pid_start=pid_start,
                started_at=at,
                exit_code=0,
                error="",
                oom_killed=False,
                manually_stopped=False,
            ), ()
        case Exited(record):
            return _exited(state, policy, record)
        case StartFailed(code, message, at):
            failed = replace(
                state,
                status=Status.EXITED if state.started_at or state.restart_count else Status.CREATED,
                pid=0,
                pid_start=0,
                exit_code=code,
                error=message,
                finished_at=at if state.started_at else 0,
            )
            commands = [Command(Act.RELEASE)]
            if policy.auto_remove:
                commands.append(Command(Act.REMOVE))
            return failed, tuple(commands)
        case StopAsked():
            stopped = replace(state, manually_stopped=True)
            if state.status is Status.RESTARTING:
                return replace(stopped, status=Status.EXITED), (Command(Act.TELL_EXIT),)
            return stopped, ()
        case Paused():
            return replace(state, status=Status.PAUSED), ()
        case Resumed():
            return replace(state, status=Status.RUNNING), ()
        case RemoveAsked():
            return replace(state, status=Status.REMOVING, manually_stopped=True), ()
        case Booted():
            return _booted(state, policy)


def _exited(state: State, policy: Policy, record: ExitRecord) -> tuple[State, tuple[Command, ...]]:
    ended = msgspec.structs.replace(
        state,
        status=Status.REMOVING if state.status is Status.REMOVING else Status.EXITED,
        pid=0,
        pid_start=0,
        exit_code=record.exit_code,
        error=record.error,
        finished_at=record.finished_at,
        oom_killed=record.oom_killed,
    )
    if state.status is not Status.REMOVING and wants_restart(ended, policy.restart):
        again = msgspec.structs.replace(ended, status=Status.RESTARTING, restart_count=state.restart_count + 1)
        delay = next_delay(policy.last_delay, ran_ns=record.finished_at - state.started_at)
        return again, (Command(Act.TELL_EXIT), Command(Act.RELEASE), Command(Act.RESTART, delay))
    commands = [Command(Act.TELL_EXIT), Command(Act.RELEASE)]
    if policy.auto_remove and state.status is not Status.REMOVING:
        commands.append(Command(Act.REMOVE))
    return ended, tuple(commands)


def wants_restart(ended: State, policy: RestartPolicy) -> bool:
    """Return whether the policy starts a container again that ended as ``ended`` says."""
    if ended.manually_stopped:
        return False
    if policy.name in ("always", "unless-stopped"):
        return True
    if policy.name == "on-failure" and ended.exit_code != 0:
        return policy.maximum_retry_count == 0 or ended.restart_count < policy.maximum_retry_count
    return False


def next_delay(last: float, *, ran_ns: int) -> float:
    """Return seconds to wait before the next start."""
    if last == 0 or ran_ns >= LONG_ENOUGH_NS:
        return FIRST_DELAY
    return min(last * 2, LONGEST_DELAY)


def _booted(state: State, policy: Policy) -> tuple[State, tuple[Command, ...]]:
    was_up = state.status in (Status.RUNNING, Status.PAUSED, Status.RESTARTING)
    if state.status is Status.REMOVING:
        return state, (Command(Act.REMOVE),)
    ended = msgspec.structs.replace(state, status=Status.EXITED, pid=0, pid_start=0) if was_up else state
    if was_up and state.status is not Status.RESTARTING:
        ended = msgspec.structs.replace(ended, exit_code=255)
    ever_started = bool(state.started_at)
    name = policy.restart.name
    if name == "always" and ever_started:
        return ended, (Command(Act.START),)
    if name == "unless-stopped" and ever_started and not state.manually_stopped:
        return ended, (Command(Act.START),)
    if name == "on-failure" and was_up and wants_restart(ended, policy.restart):
        return ended, (Command(Act.START),)
    if policy.auto_remove:
        # Also one that never ran, or whose removal was cut off: nobody is there to remove it (moby ``daemon.restore``).
        return ended, (Command(Act.REMOVE),)
    return ended, ()


def again(state: State) -> State:
    """Return the state of a container whose restart failed and is to be tried once more."""
    return msgspec.structs.replace(state, status=Status.RESTARTING, restart_count=state.restart_count + 1)
