"""``argosy wait``."""

from __future__ import annotations

from argosy.cli.command import SOME, Command
from argosy.cli.each import each
from argosy.cli.errors import ExitError
from argosy.cli.flags import Values
from argosy.cli.session import Session
from argosy.client import containers


def run(session: Session, values: Values) -> int:
    def wait(name: str) -> str:
        answer = next(session.stream(containers.wait(name)), {})
        if message := (answer.get("Error") or {}).get("Message"):
            raise ExitError(1, message)
        return str(answer.get("StatusCode", ""))

    return each(session, values.arguments, wait)


COMMAND = Command(run, "CONTAINER [CONTAINER...]", arity=SOME, complete="running+")
