"""``argosy image prune``."""

from __future__ import annotations

from argosy.cli.command import Command
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import FILTER
from argosy.cli.prompt import confirm, reclaimed
from argosy.cli.session import Session
from argosy.client import images


def run(session: Session, values: Values) -> None:
    everything = values.switch("all")
    confirm(
        values,
        "WARNING! This will remove all images without at least one container associated to them."
        if everything
        else "WARNING! This will remove all dangling images.",
    )
    wanted = values.filters()
    wanted["dangling"] = ["false" if everything else "true"]
    answer = session.call(images.prune(wanted))
    if deleted := answer.get("ImagesDeleted"):
        lines = (f"untagged: {row['Untagged']}" if row.get("Untagged") else f"deleted: {row.get('Deleted', '')}" for row in deleted)
        session.say("\n".join(("Deleted Images:", *lines)) + "\n")
    session.say(reclaimed(int(answer.get("SpaceReclaimed") or 0)))


COMMAND = Command(
    run,
    flags=(
        Flag("all", "a", help="Remove all unused images, not just dangling ones"),
        Flag("filter", "", FILTER, 'Provide filter values (e.g. "until=<timestamp>")'),
        Flag("force", "f", help="Do not prompt for confirmation"),
    ),
)
