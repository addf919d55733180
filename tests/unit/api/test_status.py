from dataclasses import dataclass

import pytest

from argosy.api.convert.status import human_duration, status_text
from argosy.engine.model import Health, State, Status

S = 10**9
M, H = 60 * S, 3600 * S
D = 24 * H


@pytest.mark.parametrize(
    ("ns", "words"),
    [
        (0, "Less than a second"),
        (450 * 10**6, "Less than a second"),
        (-5 * S, "Less than a second"),
        (1 * S, "1 second"),
        (47 * S, "47 seconds"),
        (1 * M, "About a minute"),
        (119 * S, "About a minute"),
        (2 * M, "2 minutes"),
        (59 * M, "59 minutes"),
        (60 * M, "About an hour"),
        (89 * M, "About an hour"),
        (90 * M, "2 hours"),
        (47 * H, "47 hours"),
        (48 * H, "2 days"),
        (13 * D, "13 days"),
        (14 * D, "2 weeks"),
        (59 * D, "8 weeks"),
        (60 * D, "2 months"),
        (729 * D, "24 months"),
        (730 * D, "2 years"),
        (4 * 365 * D, "4 years"),
    ],
)
def test_durations_read_as_go_units_writes_them(ns: int, words: str) -> None:
    assert human_duration(ns) == words


@dataclass(frozen=True)
class Case:
    state: State
    text: str


NOW = 1000 * S
CASES = [
    Case(State(), "Created"),
    Case(State(status=Status.RUNNING, started_at=NOW - 5 * M), "Up 5 minutes"),
    Case(State(status=Status.RUNNING, started_at=NOW - 5 * M, health=Health("healthy")), "Up 5 minutes (healthy)"),
    Case(State(status=Status.RUNNING, started_at=NOW - 5 * M, health=Health("starting")), "Up 5 minutes (health: starting)"),
    Case(State(status=Status.RUNNING, started_at=NOW - 5 * M, health=Health("none")), "Up 5 minutes"),
    Case(State(status=Status.PAUSED, started_at=NOW - 5 * M), "Up 5 minutes (Paused)"),
    Case(State(status=Status.RESTARTING, exit_code=1, started_at=1, finished_at=NOW - 3 * S), "Restarting (1) 3 seconds ago"),
    Case(State(status=Status.EXITED, exit_code=137, started_at=1, finished_at=NOW - 3 * S), "Exited (137) 3 seconds ago"),
    Case(State(status=Status.REMOVING), "Removal In Progress"),
    Case(State(status=Status.DEAD), "Dead"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.text)
def test_status_reads_as_dockers(case: Case) -> None:
    assert status_text(case.state, NOW) == case.text
