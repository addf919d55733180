"""``argosy container prune``."""

from __future__ import annotations

from argosy.cli.command import Command
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import FILTER
from argosy.cli.prompt import confirm, reclaimed
from argosy.cli.session import Session
from argosy.client import containers


def run(session: Session, values: Values) -> None:
    confirm(values, "WARNING! This will remove all stopped containers.")
    answer = session.call(containers.prune(values.filters()))
    if deleted := answer.get("ContainersDeleted"):
        session.say("\n".join(("Deleted Containers:", *deleted)) + "\n")
    session.say(reclaimed(int(answer.get("SpaceReclaimed") or 0)))


COMMAND = Command(
    run,
    flags=(
        Flag("filter", "", FILTER, 'Provide filter values (e.g. "until=<timestamp>")'),
        Flag("force", "f", help="Do not prompt for confirmation"),
    ),
)
