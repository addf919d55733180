"""``argosy builder prune``."""

from __future__ import annotations

from argosy.cli.command import Command
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import BYTES, FILTER
from argosy.cli.output import human
from argosy.cli.prompt import confirm
from argosy.cli.session import Session
from argosy.client import system


def run(session: Session, values: Values) -> None:
    everything = values.switch("all")
    confirm(values, f"WARNING! This will remove all {'' if everything else 'dangling '}build cache.")
    limits = {name: values.number(name) for name in ("reserved-space", "max-used-space", "min-free-space") if values.given(name)}
    if values.given("keep-storage"):
        limits.setdefault("reserved-space", values.number("keep-storage"))
    answer = session.call(system.build_prune(everything, values.filters(), limits))
    if deleted := answer.get("CachesDeleted"):
        session.say("\n".join(("Deleted build cache objects:", *deleted)) + "\n")
    session.say(f"Total reclaimed space: {human.size(int(answer.get('SpaceReclaimed') or 0))}")


COMMAND = Command(
    run,
    flags=(
        Flag("all", "a", help="Remove all unused build cache, not just dangling ones"),
        Flag("filter", "", FILTER, 'Provide filter values (e.g. "until=24h")'),
        Flag("force", "f", help="Do not prompt for confirmation"),
        Flag("keep-storage", "", BYTES, "Former name of --reserved-space"),
        Flag("max-used-space", "", BYTES, "Remove until the cache takes no more than this"),
        Flag("min-free-space", "", BYTES, "Remove until so much of the disk is free"),
        Flag("reserved-space", "", BYTES, "Cache that is kept in any case"),
    ),
)
