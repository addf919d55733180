"""``argosy export``."""

from __future__ import annotations

import sys

from argosy.cli.command import Command, exactly
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import STRING
from argosy.cli.output import files
from argosy.cli.output.progress import Bytes
from argosy.cli.session import Session
from argosy.client import containers


def run(session: Session, values: Values) -> None:
    path = values.text("output")
    files.check_output(path, "export container")
    progress = Bytes("Exporting", 0, sys.stderr, quiet=not path)
    files.write(path, progress.passing(session.stream(containers.export(values.arguments[0]))))


COMMAND = Command(
    run,
    "CONTAINER",
    flags=(Flag("output", "o", STRING, "Write to a file, instead of STDOUT", complete="files"),),
    arity=exactly(1),
    complete="containers",
    examples=(("argosy export web | tar -t", "what is in it"),),
)
