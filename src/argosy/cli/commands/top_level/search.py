"""``argosy search``."""

from __future__ import annotations

from argosy.cli.command import Command, exactly
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.formats import LIST_FORMAT
from argosy.cli.flags.kinds import FILTER, INT
from argosy.cli.images.credentials import HUB, Logins
from argosy.cli.output import human, listing
from argosy.cli.output.listing import Column, Listing
from argosy.cli.session import Session
from argosy.client import images


def _kind(trunc: bool) -> Listing:
    def description(text: object) -> str:
        line = " ".join(str(text or "").split())
        return human.shorten(line, 45) if trunc else line

    columns = {
        "Name": Column("NAME", lambda row: row["name"]),
        "Description": Column("DESCRIPTION", lambda row: description(row.get("description"))),
        "StarCount": Column("STARS", lambda row: str(row.get("star_count", 0))),
        "IsOfficial": Column("OFFICIAL", lambda row: "[OK]" if row.get("is_official") else ""),
    }
    return Listing("*registry.searchContext", columns, ("Name", "Description", "StarCount", "IsOfficial"), cuttable=("DESCRIPTION", "NAME"))


def run(session: Session, values: Values) -> None:
    term = values.arguments[0]
    domain = term.partition("/")[0]
    registry = domain if "/" in term and ("." in domain or ":" in domain or domain == "localhost") else HUB
    rows = session.call(images.search(term, values.number("limit"), values.filters(), Logins(session).header(registry)))
    trunc = not values.switch("no-trunc")
    listing.show(session, _kind(trunc), rows, values.text("format"), trunc=trunc)


COMMAND = Command(
    run,
    "TERM",
    flags=(
        Flag("filter", "f", FILTER, "Filter output based on conditions provided"),
        LIST_FORMAT,
        Flag("limit", "", INT, "Max number of search results"),
        Flag("no-trunc", "", help="Don't truncate output"),
    ),
    arity=exactly(1),
)
