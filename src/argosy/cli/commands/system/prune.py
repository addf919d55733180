"""``argosy system prune``."""

from __future__ import annotations

from argosy.cli.command import Command
from argosy.cli.errors import ExitError
from argosy.cli.flags import Flag, Values
from argosy.cli.flags.kinds import FILTER
from argosy.cli.prompt import confirm, reclaimed
from argosy.cli.session import Session
from argosy.client import containers, images, networks, system, volumes
from argosy.client.errors import ApiError


def _warning(everything: bool, with_volumes: bool, wanted: dict[str, list[str]]) -> str:
    lines = ["all stopped containers", "all networks not used by at least one container"]
    if with_volumes:
        lines.append("all anonymous volumes not used by at least one container")
    lines.append("all images without at least one container associated to them" if everything else "all dangling images")
    lines.append("all build cache" if everything else "unused build cache")
    text = "WARNING! This will remove:\n" + "\n".join(f"  - {line}" for line in lines) + "\n"
    if wanted:
        shown = "\n".join(f"  - {key}={value}" for key, found in wanted.items() for value in found)
        text += f"\n  Items to be pruned will be filtered with:\n{shown}\n"
    return text


def run(session: Session, values: Values) -> None:
    everything, with_volumes, wanted = values.switch("all"), values.switch("volumes"), values.filters()
    if with_volumes and "until" in wanted:
        raise ExitError(1, 'ERROR: The "until" filter is not supported with "--volumes"')
    confirm(values, _warning(everything, with_volumes, wanted))
    freed = 0
    answer = session.call(containers.prune(wanted))
    freed += _show(session, "Deleted Containers:", answer.get("ContainersDeleted"), answer)
    answer = session.call(networks.prune(wanted))
    _show(session, "Deleted Networks:", answer.get("NetworksDeleted"), answer)
    if with_volumes:
        answer = session.call(volumes.prune(wanted))
        freed += _show(session, "Deleted Volumes:", answer.get("VolumesDeleted"), answer)
    answer = session.call(images.prune({**wanted, "dangling": ["false" if everything else "true"]}))
    rows = answer.get("ImagesDeleted") or []
    lines = [f"untagged: {row['Untagged']}" if row.get("Untagged") else f"deleted: {row.get('Deleted', '')}" for row in rows]
    freed += _show(session, "Deleted Images:", lines, answer)
    try:
        answer = session.call(system.build_prune(everything, wanted))
        freed += _show(session, "Deleted build cache objects:", answer.get("CachesDeleted"), answer)
    except ApiError as error:
        # A daemon without a builder has no cache to prune.
        if error.status not in (404, 501):
            raise
    session.say(reclaimed(freed))


def _show(session: Session, title: str, deleted: list[str] | None, answer: dict[str, object]) -> int:
    if deleted:
        session.say("\n".join((title, *deleted)) + "\n")
    count = answer.get("SpaceReclaimed")
    return count if isinstance(count, int) else 0


COMMAND = Command(
    run,
    flags=(
        Flag("all", "a", help="Remove all unused images not just dangling ones"),
        Flag("filter", "", FILTER, 'Provide filter values (e.g. "label=<key>=<value>")'),
        Flag("force", "f", help="Do not prompt for confirmation"),
        Flag("volumes", "", help="Prune anonymous volumes"),
    ),
)
