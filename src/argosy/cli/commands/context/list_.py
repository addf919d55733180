"""``argosy context ls``."""

from __future__ import annotations

from argosy.cli.command import Command
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.formats import LIST_FORMAT
from argosy.cli.output import listing
from argosy.cli.output.listing import Column, Listing
from argosy.cli.session import Session
from argosy.client.contexts import ContextStore
from argosy.client.host import DEFAULT_HOST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LISTING = Listing(
    "*formatter.clientContextContext",
    {
        "Name": Column("NAME", lambda row: row["name"]),
        "Description": Column("DESCRIPTION", lambda row: row["description"]),
        "DockerEndpoint": Column("DOCKER ENDPOINT", lambda row: row["host"]),
        "Current": Column("CURRENT", lambda row: row["current"]),
        "Error": Column("ERROR", lambda row: row["error"]),
    },
    ("Name", "Description", "DockerEndpoint", "Error"),
    cuttable=("DESCRIPTION", "DOCKER ENDPOINT"),
)


def run(session: Session, values: Values) -> None:
    current = session.context_name
    said = session.environ.get("ARGOSY_HOST") or session.environ.get("DOCKER_HOST") or DEFAULT_HOST
    rows: list[dict[str, Any]] = [{"name": "default", "description": "Current ARGOSY_HOST based configuration", "host": said, "error": ""}]
    rows += [
        {"name": one.name, "description": one.description, "host": one.host, "error": ""} for one in ContextStore(session.directory).list_()
    ]
    if current not in {row["name"] for row in rows}:
        rows.append({"name": current, "description": "", "host": "", "error": "context not found"})
    rows.sort(key=lambda row: str(row["name"]))
    for row in rows:
        row["current"] = row["name"] == current
    if values.switch("quiet"):
        for row in rows:
            session.say(row["name"])
        return
    form = values.text("format")
    if form in ("", "table"):
        rows = [{**row, "name": row["name"] + " *" * row["current"]} for row in rows]
    listing.show(session, _LISTING, rows, form)


COMMAND = Command(run, flags=(LIST_FORMAT, Flag("quiet", "q", help="Only show context names")))
