"""``argosy cp``: copy between a container and this machine."""

from __future__ import annotations

import os
import sys

from argosy.cli.archive import copying
from argosy.cli.command import Command, exactly
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.output import human
from argosy.cli.session import Session


def split(text: str) -> tuple[str, str]:
    """Return container and path of ``web:/etc``; a path of this machine has no container (``./a:b`` is one, ``/a`` too)."""
    if os.path.isabs(text) or text.startswith("."):
        return "", text
    container, colon, path = text.partition(":")
    return (container, path) if colon else ("", text)


def run(session: Session, values: Values) -> None:
    source, target = (split(text) for text in values.arguments)
    if not source[1]:
        raise ExitError(1, "source can not be empty")
    if not target[1]:
        raise ExitError(1, "destination can not be empty")
    if source[0] and target[0]:
        raise ExitError(1, "copying between containers is not supported")
    if not source[0] and not target[0]:
        raise ExitError(1, "must specify at least one container source")
    archive, follow = values.switch("archive"), values.switch("follow-link")
    quiet = values.switch("quiet") or not sys.stderr.isatty()
    if source[0]:
        count = copying.from_container(session, *source, target[1], owners=archive, follow=follow, quiet=quiet)
        where = target[1]
    else:
        count = copying.to_container(session, source[1], *target, owners=archive, follow=follow, quiet=quiet)
        where = ":".join(target)
    if not quiet and where != "-":
        session.warn(f"Successfully copied {human.size(count, 3)} to {where}")


COMMAND = Command(
    run,
    ("CONTAINER:SRC_PATH DEST_PATH|-", "SRC_PATH|- CONTAINER:DEST_PATH"),
    flags=(
        Flag("archive", "a", help="Archive mode (copy all uid/gid information)"),
        Flag("follow-link", "L", help="Always follow symbol link in SRC_PATH"),
        Flag("quiet", "q", help="Suppress progress output during copy. Progress output is suppressed if no terminal is attached"),
    ),
    arity=exactly(2),
    complete="paths+",
    about=(
        "Copy files/folders between a container and the local filesystem\n\n"
        "Use '-' as the source to read a tar archive from stdin\nand extract it to a directory destination in a container.\n"
        "Use '-' as the destination to stream a tar archive of a\ncontainer source to stdout."
    ),
    examples=(
        ("argosy cp web:/etc/nginx .", "a directory to here"),
        ("argosy cp site/. web:/var/www", "the content of a directory"),
    ),
)
