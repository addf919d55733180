"""``argosy registry gc``."""

from __future__ import annotations

from argosy.cli.command import ANY, Command
from argosy.cli.commands.registry.serve import become
from argosy.cli.flags import Values
from argosy.cli.session import Session


def run(_session: Session, values: Values) -> None:
    become("gc", list(values.arguments))


COMMAND = Command(run, "[OPTIONS]", arity=ANY, raw=True)
