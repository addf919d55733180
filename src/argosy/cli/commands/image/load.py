"""``argosy load``."""

from __future__ import annotations

import os
import sys

from argosy.cli.command import Command
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import STRING
from argosy.cli.output.progress import Bytes, Transfers
from argosy.cli.session import Session
from argosy.client import images


def run(session: Session, values: Values) -> None:
    path, quiet = values.text("input"), values.switch("quiet")
    if not path and sys.stdin.isatty():
        raise ExitError(1, "requested load from stdin, but stdin is empty")
    try:
        source = open(path, "rb") if path else sys.stdin.buffer  # noqa: SIM115
    except OSError as error:
        raise ExitError(1, f"open {path}: {(error.strerror or '').lower()}") from None
    with source:
        total = os.fstat(source.fileno()).st_size if path else 0
        progress = Bytes("Loading", total, sys.stderr, quiet=quiet)
        live = sys.stdout.isatty()
        call = images.load(progress.reading(source), quiet=quiet or not live, platform=values.text("platform"))
        with Transfers(sys.stdout, session.environ) as transfers:
            for event in session.stream(call):
                transfers.show(event)


COMMAND = Command(
    run,
    flags=(
        Flag("input", "i", STRING, "Read from tar archive file, instead of STDIN", complete="files"),
        Flag("platform", "", STRING, 'Load only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")'),
        Flag("quiet", "q", help="Suppress the load output"),
    ),
)
