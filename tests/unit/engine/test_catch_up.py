"""Which step follows in what situation."""

import pytest

from argosy.engine.catch_up import REST, SHORT, TRIES, Progress, Step, next_step


def progress(**changes):
    return Progress(**({"unread": 0, "held": False, "complete": False, "failed": 0, "lapped": False} | changes))


@pytest.mark.parametrize(
    ("situation", "step"),
    [
        ({}, Step.HOLD),
        ({"unread": SHORT}, Step.HOLD),
        ({"unread": SHORT + 1}, Step.READ),
        ({"held": True}, Step.READ),
        ({"held": True, "unread": SHORT + 1}, Step.READ),
        ({"held": True, "complete": True}, Step.JOIN),
        ({"held": True, "complete": True, "unread": 7}, Step.JOIN),
        ({"failed": 1, "unread": REST}, Step.HOLD),
        ({"failed": 1, "unread": REST + 1}, Step.READ),
        ({"failed": TRIES}, Step.LET_GO),
        ({"failed": TRIES - 1}, Step.HOLD),
        ({"lapped": True, "held": True, "complete": True}, Step.LET_GO),
    ],
)
def test_next_step(situation, step):
    assert next_step(progress(**situation)) is step
