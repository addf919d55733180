"""``argosy network inspect``."""

from __future__ import annotations

from argosy.cli import inspecting
from argosy.cli.command import SOME, Command
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.formats import DOCUMENT_FORMAT
from argosy.cli.session import Session
from argosy.client import networks


def run(session: Session, values: Values) -> int:
    verbose = values.switch("verbose")
    return inspecting.show(values.arguments, values.text("format"), lambda name: session.call(networks.inspect(name, verbose=verbose)))


COMMAND = Command(
    run,
    "NETWORK [NETWORK...]",
    flags=(DOCUMENT_FORMAT, Flag("verbose", "v", help="Verbose output for diagnostics")),
    arity=SOME,
    complete="networks+",
)
