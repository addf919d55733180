"""``argosy volume prune``."""

from __future__ import annotations

from argosy.cli.command import Command
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import FILTER
from argosy.cli.prompt import confirm, reclaimed
from argosy.cli.session import Session
from argosy.client import volumes


def run(session: Session, values: Values) -> None:
    wanted = values.filters()
    everything = values.switch("all")
    if everything:
        if "all" in wanted:
            raise ExitError(1, "conflicting options: cannot specify both --all and --filter all=1")
        wanted["all"] = ["true"]
    confirm(
        values,
        "WARNING! This will remove all local volumes not used by at least one container."
        if everything
        else "WARNING! This will remove anonymous local volumes not used by at least one container.",
    )
    answer = session.call(volumes.prune(wanted))
    if deleted := answer.get("VolumesDeleted"):
        session.say("\n".join(("Deleted Volumes:", *deleted)) + "\n")
    session.say(reclaimed(int(answer.get("SpaceReclaimed") or 0)))


COMMAND = Command(
    run,
    flags=(
        Flag("all", "a", help="Remove all unused volumes, not just anonymous ones"),
        Flag("filter", "", FILTER, 'Provide filter values (e.g. "label=<label>")'),
        Flag("force", "f", help="Do not prompt for confirmation"),
    ),
)
