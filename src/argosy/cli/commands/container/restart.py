"""``argosy restart``."""

from __future__ import annotations

from argosy.cli.command import SOME, Command
from argosy.cli.each import each
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import INT, STRING
from argosy.cli.session import Session
from argosy.client import containers


def run(session: Session, values: Values) -> int:
    flag = "time" if values.given("time") else "timeout"
    seconds = values.number(flag) if values.given(flag) else None
    return each(session, values.arguments, lambda name: session.call(containers.restart(name, seconds, values.text("signal"))))


COMMAND = Command(
    run,
    "CONTAINER [CONTAINER...]",
    flags=(
        Flag("signal", "s", STRING, "Signal to send to the container"),
        Flag("time", "", INT, hidden=True),
        Flag("timeout", "t", INT, "Seconds to wait before killing the container"),
    ),
    arity=SOME,
    complete="running+",
)
