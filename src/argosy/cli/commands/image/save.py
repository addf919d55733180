"""``argosy save``."""

from __future__ import annotations

import sys

from argosy.cli.command import SOME, Command
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import STRING
from argosy.cli.output import files
from argosy.cli.output.progress import Bytes
from argosy.cli.session import Session
from argosy.client import images


def run(session: Session, values: Values) -> None:
    path = values.text("output")
    files.check_output(path, "save image")
    progress = Bytes("Saving", 0, sys.stderr, quiet=not path)
    files.write(path, progress.passing(session.stream(images.save(values.arguments, values.text("platform")))))


COMMAND = Command(
    run,
    "IMAGE [IMAGE...]",
    flags=(
        Flag("output", "o", STRING, "Write to a file, instead of STDOUT", complete="files"),
        Flag("platform", "", STRING, 'Save only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")'),
    ),
    arity=SOME,
    complete="images+",
    examples=(("argosy save app | ssh host argosy load", "carry an image to another machine"),),
)
