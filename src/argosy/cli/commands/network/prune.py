"""``argosy network prune``."""

from __future__ import annotations

from argosy.cli.command import Command
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import FILTER
from argosy.cli.prompt import confirm
from argosy.cli.session import Session
from argosy.client import networks


def run(session: Session, values: Values) -> None:
    confirm(values, "WARNING! This will remove all custom networks not used by at least one container.")
    deleted = session.call(networks.prune(values.filters())).get("NetworksDeleted")
    if deleted:
        session.say("\n".join(("Deleted Networks:", *deleted)) + "\n")


COMMAND = Command(
    run,
    flags=(
        Flag("filter", "", FILTER, 'Provide filter values (e.g. "until=<timestamp>")'),
        Flag("force", "f", help="Do not prompt for confirmation"),
    ),
)
