"""``argosy container execs``: what exec runs in a container. Argosy's own; Docker has no list of them."""

from __future__ import annotations

from argosy.cli.command import Command, exactly
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.formats import LIST_FORMAT
from argosy.cli.output import listing
from argosy.cli.output.listing import Column, Listing
from argosy.cli.session import Session
from argosy.client import execs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def _command(row: Mapping[str, Any]) -> str:
    process = row.get("ProcessConfig") or {}
    return " ".join((str(process.get("entrypoint", "")), *(process.get("arguments") or [])))


def _status(row: Mapping[str, Any]) -> str:
    if row.get("Running"):
        return "Running"
    return "Created" if row.get("ExitCode") is None else f"Exited ({row['ExitCode']})"


def _kind(trunc: bool) -> Listing:
    columns = {
        "ID": Column("EXEC ID", lambda row: row["ID"][:12] if trunc else row["ID"]),
        "Pid": Column("PID", lambda row: row.get("Pid") or 0),
        "User": Column("USER", lambda row: (row.get("ProcessConfig") or {}).get("user", "")),
        "Status": Column("STATUS", _status),
        "Command": Column("COMMAND", _command),
    }
    return Listing("execContext", columns, ("ID", "Pid", "User", "Status", "Command"), cuttable=("COMMAND",))


def run(session: Session, values: Values) -> None:
    rows = session.call(execs.list_(values.arguments[0]))
    trunc = not values.switch("no-trunc")
    if values.switch("quiet"):
        for row in rows:
            session.say(row["ID"][:12] if trunc else row["ID"])
        return
    listing.show(session, _kind(trunc), rows, values.text("format"), trunc=trunc)


COMMAND = Command(
    run,
    "CONTAINER",
    flags=(LIST_FORMAT, Flag("no-trunc", "", help="Don't truncate output"), Flag("quiet", "q", help="Only display exec IDs")),
    arity=exactly(1),
    complete="running",
)
