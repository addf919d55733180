"""``argosy volume ls``."""

from __future__ import annotations

from argosy.cli.command import Command
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.formats import LIST_FORMAT
from argosy.cli.flags.kinds import FILTER
from argosy.cli.output import human, listing
from argosy.cli.output.containers import pairs
from argosy.cli.output.listing import Column, Listing
from argosy.cli.session import Session
from argosy.client import volumes

LISTING = Listing(
    "*formatter.volumeContext",
    {
        "Name": Column("VOLUME NAME", lambda row: row["Name"]),
        "Driver": Column("DRIVER", lambda row: row["Driver"]),
        "Scope": Column("SCOPE", lambda row: row.get("Scope", "")),
        "Mountpoint": Column("MOUNTPOINT", lambda row: row.get("Mountpoint", "")),
        "Labels": Column("LABELS", lambda row: pairs(row.get("Labels"))),
        "Label": Column("", lambda row: lambda name: (row.get("Labels") or {}).get(name, ""), method=True),
        "Links": Column("LINKS", lambda row: str(row["UsageData"]["RefCount"]) if row.get("UsageData") else "N/A"),
        "Size": Column("SIZE", lambda row: human.size(row["UsageData"]["Size"]) if row.get("UsageData") else "N/A"),
        "Group": Column("GROUP", lambda row: "N/A"),
        "Availability": Column("AVAILABILITY", lambda row: "N/A"),
        "Status": Column("STATUS", lambda row: "N/A"),
    },
    ("Driver", "Name"),
    cuttable=("VOLUME NAME",),
)


def run(session: Session, values: Values) -> None:
    answer = session.call(volumes.list_(values.filters()))
    for warning in answer.get("Warnings") or []:
        session.warn(f"WARNING: {warning}")
    rows = sorted(answer.get("Volumes") or [], key=lambda row: str(row["Name"]))
    if values.switch("quiet") and not values.given("format"):
        for row in rows:
            session.say(row["Name"])
        return
    # A volume's name is what the next command needs: it is cut only on a terminal, and never by 12 characters as ids are.
    listing.show(session, LISTING, rows, values.text("format") or str(session.config.get("volumesFormat") or ""))


COMMAND = Command(
    run,
    flags=(
        Flag("filter", "f", FILTER, 'Provide filter values (e.g. "dangling=true")'),
        LIST_FORMAT,
        Flag("quiet", "q", help="Only display volume names"),
    ),
)
