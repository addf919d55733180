"""The health of a container, decided from what its checks return. Pure: the runner is `health_runner`.

Rules of ``HEALTHCHECK`` (Dockerfile reference; moby ``daemon/health.go``):

- a success makes it healthy at once and sets the streak to zero;
- ``retries`` failures in a row make it unhealthy; a failure within ``start_period`` does not count until a first success;
- the first check comes ``start_interval`` after the start while the start period lasts, else ``interval`` after it; each
  further one that long after the end of the one before;
- the last five results are kept, the first 4096 bytes of their output each.
"""

from dataclasses import dataclass

import msgspec

from argosy.engine.model import Health, HealthLog
from argosy.oci.config import Config, Healthcheck

STARTING, HEALTHY, UNHEALTHY, NONE = "starting", "healthy", "unhealthy", "none"
KEPT = 5
OUTPUT_LIMIT = 4096
_SECOND = 1_000_000_000
_INTERVAL = 30 * _SECOND
_TIMEOUT = 30 * _SECOND
_START_INTERVAL = 5 * _SECOND
_RETRIES = 3
_SHELL = ("/bin/sh", "-c")


@dataclass(frozen=True, slots=True)
class Probe:
    """A check with all defaults filled in; durations in ns."""

    command: tuple[str, ...]
    interval: int = _INTERVAL
    timeout: int = _TIMEOUT
    start_period: int = 0
    start_interval: int = _START_INTERVAL
    retries: int = _RETRIES


@dataclass(frozen=True, slots=True)
class Result:
    start: int
    end: int
    exit_code: int
    """0 healthy, -1: the check itself failed or took too long, anything else unhealthy."""
    output: str


def probe_of(config: Config) -> Probe | None:
    """Return the check of a container, None when it has none (``NONE``, or an empty or unknown test)."""
    check = config.healthcheck
    if check is None or not check.test:
        return None
    command = _command(check, config.shell)
    if not command:
        return None
    return Probe(
        command=command,
        interval=check.interval or _INTERVAL,
        timeout=check.timeout or _TIMEOUT,
        start_period=check.start_period,
        start_interval=check.start_interval or _START_INTERVAL,
        retries=check.retries or _RETRIES,
    )


def _command(check: Healthcheck, shell: tuple[str, ...] | None) -> tuple[str, ...]:
    kind, words = check.test[0], check.test[1:]
    if kind == "CMD":
        return words
    if kind == "CMD-SHELL":
        return (*(shell or _SHELL), *words)
    return ()


def initial() -> Health:
    """Return the health at each start, also after a restart: what was before says nothing about the new processes."""
    return Health(status=STARTING)


def decide(probe: Probe, health: Health, result: Result, *, started_at: int) -> Health:
    """Return the health after one more result."""
    log = (*health.log, HealthLog(result.start, result.end, result.exit_code, result.output))[-KEPT:]
    if result.exit_code == 0:
        return Health(status=HEALTHY, failing_streak=0, log=log)
    if _forgiven(probe, health, result, started_at):
        return msgspec.structs.replace(health, log=log)
    streak = health.failing_streak + 1
    status = UNHEALTHY if streak >= probe.retries else health.status
    return Health(status=status, failing_streak=streak, log=log)


def _forgiven(probe: Probe, health: Health, result: Result, started_at: int) -> bool:
    return health.status == STARTING and result.start - started_at < probe.start_period


def delay(probe: Probe, health: Health, *, started_at: int, now: int) -> int:
    """Return ns to wait, from now, before the next check."""
    if health.status == STARTING and now - started_at < probe.start_period:
        return probe.start_interval
    return probe.interval


def stopped(health: Health | None) -> Health | None:
    """Return the health of a container whose processes have ended: a running one's verdict does not outlive it.

    Docker sets ``unhealthy`` then, so that nobody sends requests to it; None without checks.
    """
    return None if health is None else msgspec.structs.replace(health, status=UNHEALTHY)


def clip(output: bytes) -> str:
    """Return at most 4096 bytes of output as text, marked when some was cut off."""
    if len(output) > OUTPUT_LIMIT:
        return output[:OUTPUT_LIMIT].decode("utf-8", "replace") + "..."
    return output.decode("utf-8", "replace")
