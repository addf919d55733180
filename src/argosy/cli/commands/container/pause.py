"""``argosy pause``."""

from __future__ import annotations

from argosy.cli.command import SOME, Command
from argosy.cli.each import each
from argosy.cli.flags import Values
from argosy.cli.session import Session
from argosy.client import containers


def run(session: Session, values: Values) -> int:
    return each(session, values.arguments, lambda name: session.call(containers.pause(name)))


COMMAND = Command(run, "CONTAINER [CONTAINER...]", arity=SOME, complete="running+")
