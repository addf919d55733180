"""``argosy history``."""

from __future__ import annotations

import time

from argosy.cli.command import Command, exactly
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.formats import LIST_FORMAT
from argosy.cli.flags.kinds import STRING
from argosy.cli.output import human, listing
from argosy.cli.output.listing import Column, Listing
from argosy.cli.session import Session
from argosy.client import images

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def _kind(trunc: bool, human_: bool) -> Listing:
    now = time.time()

    def created_at(row: Mapping[str, Any]) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(row["Created"])) if row.get("Created", 0) > 0 else "N/A"

    def created_by(row: Mapping[str, Any]) -> str:
        text = str(row.get("CreatedBy") or "").replace("\t", " ")
        return human.shorten(text, 45) if trunc else text

    columns = {
        "ID": Column("IMAGE", lambda row: row["Id"].removeprefix("sha256:")[:12] if trunc else row["Id"]),
        "CreatedSince": Column(
            "CREATED" if human_ else "CREATED AT",
            (lambda row: human.ago(row["Created"], now) if row.get("Created", 0) > 0 else "N/A") if human_ else created_at,
        ),
        "CreatedAt": Column("CREATED AT", created_at),
        "CreatedBy": Column("CREATED BY", created_by),
        "Size": Column("SIZE", lambda row: human.size(row["Size"], 3) if human_ else str(row["Size"])),
        "Comment": Column("COMMENT", lambda row: row.get("Comment") or ""),
    }
    table = ("ID", "CreatedSince", "CreatedBy", "Size", "Comment")
    return Listing("*image.historyContext", columns, table, cuttable=("CREATED BY", "COMMENT"))


def run(session: Session, values: Values) -> None:
    rows = session.call(images.history(values.arguments[0], values.text("platform")))
    of = _kind(not values.switch("no-trunc"), values.switch("human"))
    if values.switch("quiet"):
        for row in rows:
            session.say(str(of.columns["ID"].get(row)))
        return
    listing.show(session, of, rows, values.text("format"), trunc=not values.switch("no-trunc"))


COMMAND = Command(
    run,
    "IMAGE",
    flags=(
        LIST_FORMAT,
        Flag("human", "H", help="Print sizes and dates in human readable format", default=True, shown="true"),
        Flag("no-trunc", "", help="Don't truncate output"),
        Flag("platform", "", STRING, 'Show history for the given platform. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")'),
        Flag("quiet", "q", help="Only show image IDs"),
    ),
    arity=exactly(1),
    complete="images",
)
