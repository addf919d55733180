"""WORKDIR, where the directory has to be made."""

from argosy.build import keys
from argosy.build.instructions.operation import Operation
from argosy.build.ports import Heard
from argosy.storage.drafts import Drafts, Scratch
from argosy.storage.ports import Workers


def workdir(path: str, chain: str | None, *, epoch: int, workers: Workers, drafts: Drafts) -> Operation:
    """Return the step that makes the directory with all that is missing above it, root's, as Docker does."""

    async def apply(scratch: Scratch, heard: Heard) -> None:
        params = {
            "target": path,
            "directory": True,
            "items": [],
            "owner": None,
            "mode": "",
            "excludes": [],
            "parents": False,
        }
        await workers.run("place", params, root=drafts.plain(scratch))

    return Operation(
        key=keys.key("workdir", chain, path, epoch),
        created_by=f"WORKDIR {path}",
        description=f"[workdir] {path}",
        apply=apply,
        told=True,
    )
