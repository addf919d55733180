"""``argosy volume inspect``."""

from __future__ import annotations

from argosy.cli import inspecting
from argosy.cli.command import SOME, Command
from argosy.cli.flags import Values
from argosy.cli.flags.formats import DOCUMENT_FORMAT
from argosy.cli.session import Session
from argosy.client import volumes


def run(session: Session, values: Values) -> int:
    return inspecting.show(values.arguments, values.text("format"), lambda name: session.call(volumes.inspect(name)))


COMMAND = Command(
    run,
    "VOLUME [VOLUME...]",
    flags=(DOCUMENT_FORMAT,),
    arity=SOME,
    complete="volumes+",
)
