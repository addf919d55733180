"""``argosy top``."""

from __future__ import annotations

import sys

from argosy.cli.command import SOME, Command
from argosy.cli.flags import Values
from argosy.cli.output.table import render_plain
from argosy.cli.session import Session
from argosy.client import containers


def run(session: Session, values: Values) -> None:
    name, *options = values.arguments
    found = session.call(containers.top(name, " ".join(options)))
    sys.stdout.write(render_plain([found.get("Titles") or [], *(found.get("Processes") or [])]))


COMMAND = Command(
    run,
    "CONTAINER [ps OPTIONS]",
    arity=SOME,
    interspersed=False,
    complete="running",
    examples=(("argosy top web -eo pid,comm", "columns of ps"),),
)
