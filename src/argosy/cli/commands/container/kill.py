"""``argosy kill``."""

from __future__ import annotations

from argosy.cli.command import SOME, Command
from argosy.cli.each import each
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import STRING
from argosy.cli.session import Session
from argosy.client import containers


def run(session: Session, values: Values) -> int:
    return each(session, values.arguments, lambda name: session.call(containers.kill(name, values.text("signal"))))


COMMAND = Command(
    run,
    "CONTAINER [CONTAINER...]",
    flags=(Flag("signal", "s", STRING, "Signal to send to the container"),),
    arity=SOME,
    complete="running+",
    examples=(("argosy kill -s HUP web", "any signal, by name or number"),),
)
