"""``argosy import``."""

from __future__ import annotations

import os
import sys

from argosy.cli.command import Arity, Command
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import LIST, STRING
from argosy.cli.images import names
from argosy.cli.output.progress import Bytes, Transfers
from argosy.cli.session import Session
from argosy.client import images


def run(session: Session, values: Values) -> None:
    source, *name = values.arguments
    repository, tag = names.split(name[0]) if name and name[0] else ("", "")
    content = None
    if source == "-":
        content = Bytes("Importing", 0, sys.stderr).reading(sys.stdin.buffer)
    elif not source.startswith(("http://", "https://", "ftp://")):
        try:
            file = open(source, "rb")  # noqa: SIM115
        except OSError as error:
            raise ExitError(1, f"open {source}: {(error.strerror or '').lower()}") from None
        content = Bytes("Importing", os.fstat(file.fileno()).st_size, sys.stderr).reading(file)
        source = "-"
    call = images.import_(
        source,
        content,
        repository=repository,
        tag_=tag,
        message=values.text("message"),
        changes=values.texts("change"),
        platform=values.text("platform"),
    )
    with Transfers(sys.stdout, session.environ) as transfers:
        for event in session.stream(call):
            transfers.show(event)


COMMAND = Command(
    run,
    "file|URL|- [REPOSITORY[:TAG]]",
    flags=(
        Flag("change", "c", LIST, "Apply Dockerfile instruction to the created image"),
        Flag("message", "m", STRING, "Set commit message for imported image"),
        Flag("platform", "", STRING, "Set platform if server is multi-platform capable"),
    ),
    arity=Arity(1, 2),
    complete="files",
    examples=(("tar -C rootfs -c . | argosy import - mine:1", "a root filesystem becomes an image"),),
)
