"""Health: Docker's rules, decided from results."""

import pytest

from argosy.engine import health as rules
from argosy.engine.health import Probe, Result, decide, delay, probe_of
from argosy.engine.model import Health
from argosy.oci.config import Config, Healthcheck

SECOND = 1_000_000_000
PROBE = Probe(("true",), interval=30 * SECOND, start_period=10 * SECOND, start_interval=2 * SECOND, retries=3)


def result(code, start=100 * SECOND):
    return Result(start, start + SECOND, code, f"out {code}")


def after(*codes, start=100 * SECOND, probe=PROBE):
    health = rules.initial()
    for code in codes:
        health = decide(probe, health, result(code, start), started_at=0)
    return health


@pytest.mark.parametrize(
    ("test", "command"),
    [
        (("CMD", "curl", "x"), ("curl", "x")),
        (("CMD-SHELL", "curl x || exit 1"), ("/bin/sh", "-c", "curl x || exit 1")),
        (("NONE",), None),
        ((), None),
        (("CMD",), None),
        (("FOO", "x"), None),
    ],
)
def test_the_forms_of_a_test(test, command):
    probe = probe_of(Config(healthcheck=Healthcheck(test=test)))
    assert (probe.command if probe else None) == command


def test_defaults_and_the_images_shell():
    assert probe_of(Config()) is None
    probe = probe_of(Config(healthcheck=Healthcheck(test=("CMD-SHELL", "x")), shell=("/bin/bash", "-ec")))
    assert probe == Probe(("/bin/bash", "-ec", "x"), 30 * SECOND, 30 * SECOND, 0, 5 * SECOND, 3)


def test_a_success_makes_it_healthy_at_once():
    assert after(0).status == "healthy"
    assert after(1, 1, 0).failing_streak == 0


def test_it_is_unhealthy_after_so_many_failures_in_a_row():
    assert [after(*[1] * count).status for count in (1, 2, 3, 4)] == ["starting", "starting", "unhealthy", "unhealthy"]
    assert after(0, 1, 1).status == "healthy" and after(0, 1, 1).failing_streak == 2
    assert after(0, 1, 1, 1).status == "unhealthy"
    assert after(1, 1, 0, 1, 1).status == "healthy"
    assert after(1, 1, 1, 0).status == "healthy"


def test_failures_in_the_start_period_do_not_count():
    early = after(1, 1, 1, 1, start=5 * SECOND)
    assert early.status == "starting" and early.failing_streak == 0 and len(early.log) == 4


def test_after_a_first_success_the_start_period_is_over():
    assert after(0, 1, 1, 1, start=5 * SECOND).status == "unhealthy"


def test_five_results_are_kept():
    health = after(0, 1, 2, 3, 4, 5, 6)
    assert [entry.exit_code for entry in health.log] == [2, 3, 4, 5, 6]
    assert health.log[0].output == "out 2" and health.log[0].end - health.log[0].start == SECOND


def test_when_the_next_check_is_due():
    starting, healthy = Health(), Health(status="healthy")
    assert delay(PROBE, starting, started_at=0, now=SECOND) == 2 * SECOND
    assert delay(PROBE, starting, started_at=0, now=10 * SECOND) == 30 * SECOND
    assert delay(PROBE, healthy, started_at=0, now=SECOND) == 30 * SECOND


def test_output_is_cut_at_4096_bytes():
    assert rules.clip(b"x" * 4096) == "x" * 4096
    assert rules.clip(b"x" * 5000) == "x" * 4096 + "..."
    assert rules.clip(b"\xff") == "\ufffd"


def test_a_stopped_container_is_not_healthy():
    assert rules.stopped(None) is None
    assert rules.stopped(Health(status="healthy")).status == "unhealthy"
