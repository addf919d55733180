"""Runs a container's checks for as long as it runs: the task's cancellation is the end of the run."""

import asyncio
from collections.abc import Awaitable, Callable

from argosy.base.clock import Clock
from argosy.base.errors import ArgosyError
from argosy.engine import health as rules
from argosy.engine.health import Probe, Result
from argosy.engine.model import Health
from argosy.runtime.model import StartFailed

Execute = Callable[[tuple[str, ...], float], Awaitable[tuple[int, bytes]]]
"""(command, timeout in seconds) → (exit code, output); raises TimeoutError when it killed the check for taking too long."""

_SECOND = 1_000_000_000


async def run_checks(
    probe: Probe,
    *,
    started_at_ns: int,
    clock: Clock,
    execute: Execute,
    publish: Callable[[Health, bool], None],
    paused: Callable[[], bool] = lambda: False,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Check until cancelled. ``publish`` gets each new health, and whether its status changed (then ``health_status: …`` is due).

    While ``paused`` says so no check is started, as its processes could not run.
    """
    health = rules.initial()
    while True:
        await pause(rules.delay(probe, health, started_at=started_at_ns, now=clock.now_ns()) / _SECOND)
        if paused():
            continue
        before = health.status
        result = await check(probe, clock, execute)
        health = rules.decide(probe, health, result, started_at=started_at_ns)
        publish(health, health.status != before)


async def check(probe: Probe, clock: Clock, execute: Execute) -> Result:
    """Run the check once. A check that cannot be run is a failed one, and its log says why."""
    start = clock.now_ns()
    try:
        code, output = await execute(probe.command, probe.timeout / _SECOND)
        text = rules.clip(output)
    except TimeoutError:
        code, text = -1, f"Health check exceeded timeout ({go_duration(probe.timeout)})"
    except (ArgosyError, StartFailed) as error:
        code, text = -1, str(error)
    return Result(start, clock.now_ns(), code, text)


def go_duration(ns: int) -> str:
    """Return a duration as Go prints it (``30s``, ``1m30s``, ``500ms``)."""
    if ns < _SECOND:
        return f"{ns / 1_000_000:g}ms"
    minutes, rest = divmod(ns, 60 * _SECOND)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest / _SECOND:.9f}".rstrip("0").rstrip(".")
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{seconds}s"
