"""``argosy container exec-kill``. Argosy's own; Docker cannot end an exec."""

from __future__ import annotations

from argosy.cli.command import SOME, Command
from argosy.cli.each import each
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import STRING
from argosy.cli.session import Session
from argosy.client import execs


def run(session: Session, values: Values) -> int:
    return each(session, values.arguments, lambda name: session.call(execs.kill(name, values.text("signal"))))


COMMAND = Command(
    run,
    "EXEC [EXEC...]",
    flags=(Flag("signal", "s", STRING, "Signal to send", default="KILL", shown='"KILL"'),),
    arity=SOME,
    examples=(("argosy container execs web", "shows the ids"),),
)
