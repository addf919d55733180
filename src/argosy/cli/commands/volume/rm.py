"""``argosy volume rm``."""

from __future__ import annotations

from argosy.cli.command import SOME, Command
from argosy.cli.each import each
from argosy.cli.flags import Flag, Values
from argosy.cli.session import Session
from argosy.client import volumes


def run(session: Session, values: Values) -> int:
    force = values.switch("force")
    return each(session, values.arguments, lambda name: session.call(volumes.remove(name, force=force)))


COMMAND = Command(
    run,
    "VOLUME [VOLUME...]",
    flags=(Flag("force", "f", help="Force the removal of one or more volumes"),),
    arity=SOME,
    complete="volumes+",
)
