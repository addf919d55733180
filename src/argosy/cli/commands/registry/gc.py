"""``argosy registry gc``."""

from __future__ import annotations

from argosy.cli.command import ANY, Command
from argosy.cli.commands.registry.serve import become
from argosy.cli.flags import Values
from argosy.cli.session import Session


def run(_session: Session, values: Values) -> None:
    become("gc", list(values.arguments))


_ABOUT = (
    "Remove what nobody needs from a registry's folder, also while a server works on it.\n\n"
    "The options are those of 'argosy-registry gc --help'; --dry-run only says what would go."
)
COMMAND = Command(run, "[OPTIONS]", arity=ANY, raw=True, about=_ABOUT)
