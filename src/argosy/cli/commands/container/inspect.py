"""``argosy container inspect``."""

from __future__ import annotations

from argosy.cli import inspecting
from argosy.cli.command import SOME, Command
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.formats import DOCUMENT_FORMAT
from argosy.cli.session import Session
from argosy.client import containers


def run(session: Session, values: Values) -> int:
    size = values.switch("size")
    return inspecting.show(values.arguments, values.text("format"), lambda name: session.call(containers.inspect(name, size)))


COMMAND = Command(
    run,
    "CONTAINER [CONTAINER...]",
    flags=(DOCUMENT_FORMAT, Flag("size", "s", help="Display total file sizes")),
    arity=SOME,
    complete="containers+",
    examples=(("argosy container inspect -f '{{.State.Status}}' web", "one field"),),
)
