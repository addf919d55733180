"""``argosy network ls``."""

from __future__ import annotations

from argosy.cli.command import Command
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.formats import LIST_FORMAT
from argosy.cli.flags.kinds import FILTER
from argosy.cli.output import human, listing
from argosy.cli.output.containers import pairs
from argosy.cli.output.listing import Column, Listing
from argosy.cli.session import Session
from argosy.client import networks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def _created(row: Mapping[str, Any]) -> str:
    """Go prints the fraction too, without trailing zeros."""
    text = str(row.get("Created") or "")
    whole = human.local(human.parse_rfc3339(text))
    digits = text.partition(".")[2].rstrip("Z").partition("+")[0].partition("-")[0].rstrip("0")
    return f"{whole[:19]}.{digits}{whole[19:]}" if digits else whole


def _kind(trunc: bool) -> Listing:
    def flag(name: str) -> Column:
        return Column(name.upper(), lambda row: str(bool(row.get({"IPv4": "EnableIPv4", "IPv6": "EnableIPv6"}.get(name, name)))).lower())

    columns = {
        "ID": Column("NETWORK ID", lambda row: row["Id"][:12] if trunc else row["Id"]),
        "Name": Column("NAME", lambda row: row["Name"]),
        "Driver": Column("DRIVER", lambda row: row["Driver"]),
        "Scope": Column("SCOPE", lambda row: row["Scope"]),
        "IPv4": flag("IPv4"),
        "IPv6": flag("IPv6"),
        "Internal": flag("Internal"),
        "Labels": Column("LABELS", lambda row: pairs(row.get("Labels"))),
        "Label": Column("", lambda row: lambda name: (row.get("Labels") or {}).get(name, ""), method=True),
        "CreatedAt": Column("CREATED AT", _created),
    }
    return Listing("*network.networkContext", columns, ("ID", "Name", "Driver", "Scope"), cuttable=("NAME",))


def run(session: Session, values: Values) -> None:
    rows = session.call(networks.list_(values.filters()))
    rows.sort(key=lambda row: row["Name"])
    trunc = not values.switch("no-trunc")
    if values.switch("quiet") and not values.given("format"):
        for row in rows:
            session.say(row["Id"][:12] if trunc else row["Id"])
        return
    listing.show(session, _kind(trunc), rows, values.text("format") or str(session.config.get("networksFormat") or ""), trunc=trunc)


COMMAND = Command(
    run,
    flags=(
        Flag("filter", "f", FILTER, 'Provide filter values (e.g. "driver=bridge")'),
        LIST_FORMAT,
        Flag("no-trunc", "", help="Do not truncate the output"),
        Flag("quiet", "q", help="Only display network IDs"),
    ),
)
