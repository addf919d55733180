"""``argosy ps``: list containers."""

from __future__ import annotations

from argosy.cli.command import NONE, Command
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.formats import LIST_FORMAT
from argosy.cli.flags.kinds import FILTER, INT
from argosy.cli.output import listing
from argosy.cli.session import Session
from argosy.client import containers


def run(session: Session, values: Values) -> None:
    wanted = values.text("format") or ("" if values.switch("quiet") else str(session.config.get("psFormat") or ""))
    size = values.switch("size") or ".Size" in wanted
    last = 1 if values.switch("latest") else values.number("last")
    everything = values.switch("all") or last > 0
    rows = session.call(containers.list_(all_=everything, limit=last, size=size, wanted=values.filters()))
    if values.switch("quiet") and not values.given("format"):
        for row in rows:
            session.say(row["Id"] if values.switch("no-trunc") else row["Id"][:12])
        return
    from argosy.cli.output import containers as kind

    of = kind.listing(trunc=not values.switch("no-trunc"))
    table = (*of.table, "Size") if values.switch("size") else of.table
    listing.show(session, of, rows, wanted, table=table, trunc=not values.switch("no-trunc"))


COMMAND = Command(
    run,
    flags=(
        Flag("all", "a", help="Show all containers (default shows just running)"),
        Flag("filter", "f", FILTER, "Filter output based on conditions provided"),
        LIST_FORMAT,
        Flag("last", "n", INT, "Show n last created containers (includes all states)", default=-1, shown="-1"),
        Flag("latest", "l", help="Show the latest created container (includes all states)"),
        Flag("no-trunc", help="Don't truncate output"),
        Flag("quiet", "q", help="Only display container IDs"),
        Flag("size", "s", help="Display total file sizes"),
    ),
    arity=NONE,
    examples=(
        ("argosy ps -a", "all containers, stopped ones too"),
        ("argosy ps -q --filter status=exited", "ids of those that have exited"),
        ("argosy ps --format 'table {{.Names}}\\t{{.Status}}'", "columns of your choice"),
    ),
)
