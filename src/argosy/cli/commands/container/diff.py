"""``argosy diff``."""

from __future__ import annotations

from argosy.cli.command import Command, exactly
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import STRING
from argosy.cli.output import listing
from argosy.cli.output.listing import Column, Listing
from argosy.cli.session import Session
from argosy.client import containers

_KINDS = "CAD"
_LISTING = Listing(
    "*formatter.diffContext",
    {"Type": Column("CHANGE TYPE", lambda row: _KINDS[row["Kind"]]), "Path": Column("PATH", lambda row: row["Path"])},
    ("Type", "Path"),
)


def run(session: Session, values: Values) -> None:
    name = values.arguments[0]
    if not name.strip():
        raise ExitError(1, "Container name cannot be empty")
    changes = session.call(containers.changes(name))
    listing.show(session, _LISTING, changes, values.text("format") or "{{.Type}} {{.Path}}", trunc=False)


COMMAND = Command(
    run,
    "CONTAINER",
    flags=(Flag("format", "", STRING, "Format output using a Go template", hidden=True),),
    arity=exactly(1),
    complete="containers",
    about="Inspect changes to files or directories on a container's filesystem: A added, C changed, D deleted",
)
