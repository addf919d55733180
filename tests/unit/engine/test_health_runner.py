"""The runner: rhythm, timeouts, checks that cannot be run, the container's pause."""

import asyncio

import pytest

from argosy.base.clock import ManualClock
from argosy.engine.health import Probe
from argosy.engine.health_runner import check, go_duration, run_checks
from argosy.runtime.model import StartFailed

SECOND = 1_000_000_000
PROBE = Probe(("x",), interval=30 * SECOND, timeout=5 * SECOND, retries=2)


class Run:
    """Plays the answers, then cancels as the container's end does."""

    def __init__(self, *answers, probe=PROBE, paused=lambda: False):
        self.clock = ManualClock(0)
        self.answers = list(answers)
        self.published, self.pauses, self.asked = [], [], []
        self.probe, self.paused = probe, paused

    async def pause(self, seconds):
        self.pauses.append(seconds)
        self.clock.advance(seconds)
        if not self.answers:
            raise asyncio.CancelledError

    async def execute(self, command, timeout):
        self.asked.append((command, timeout))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer, b"output"

    async def go(self):
        with pytest.raises(asyncio.CancelledError):
            await run_checks(
                self.probe,
                started_at_ns=0,
                clock=self.clock,
                execute=self.execute,
                publish=lambda health, changed: self.published.append((health.status, health.failing_streak, changed)),
                paused=self.paused,
                pause=self.pause,
            )
        return self


async def test_each_result_is_published_and_changes_are_told():
    run = await Run(0, 1, 1, 0).go()
    assert run.published == [("healthy", 0, True), ("healthy", 1, False), ("unhealthy", 2, True), ("healthy", 0, True)]
    assert run.pauses == [30.0] * 5 and run.asked[0] == (("x",), 5.0)


async def test_the_start_interval_holds_during_the_start_period():
    probe = Probe(("x",), interval=30 * SECOND, start_period=5 * SECOND, start_interval=2 * SECOND, retries=1)
    run = await Run(1, 1, 1, probe=probe).go()
    assert run.pauses == [2.0, 2.0, 2.0, 30.0]
    assert run.published == [("starting", 0, False), ("starting", 0, False), ("unhealthy", 1, True)]


async def test_a_check_that_takes_too_long_has_failed():
    run = await Run(TimeoutError(), TimeoutError()).go()
    assert [status for status, _, _ in run.published] == ["starting", "unhealthy"]


async def test_the_log_says_why_a_check_failed():
    clock = ManualClock(0)

    async def slow(command, timeout):
        raise TimeoutError

    async def broken(command, timeout):
        raise StartFailed('exec: "x": executable file not found', 127)

    assert (await check(PROBE, clock, slow)).output == "Health check exceeded timeout (5s)"
    assert (await check(PROBE, clock, slow)).exit_code == -1
    assert "not found" in (await check(PROBE, clock, broken)).output


async def test_a_paused_container_is_not_checked():
    states = iter([True, False])
    run = await Run(0, paused=lambda: next(states)).go()
    assert len(run.asked) == 1 and len(run.pauses) == 3


@pytest.mark.parametrize(
    ("ns", "text"),
    [(30 * SECOND, "30s"), (90 * SECOND, "1m30s"), (500_000_000, "500ms"), (1_500_000_000, "1.5s"), (3600 * SECOND, "1h0m0s")],
)
def test_durations_are_written_as_go_does(ns, text):
    assert go_duration(ns) == text
