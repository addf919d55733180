"""``argosy context show``."""

from __future__ import annotations

from argosy.cli.command import Command
from argosy.cli.flags import Values
from argosy.cli.session import Session


def run(session: Session, _values: Values) -> None:
    session.say(session.context_name)


COMMAND = Command(run)
