"""``GET /containers/{id}/changes``: what the container changed in its image's files."""

from collections.abc import Sequence
from typing import Protocol


class Compares(Protocol):
    async def changes(self, key: str) -> list[tuple[str, int]]:
        """Return (path, kind) of a snapshot: 0 modified, 1 added, 2 deleted."""
        ...


async def changes(snapshots: Compares, key: str, hidden: Sequence[str] = ()) -> list[tuple[str, int]]:
    """Return (path, kind), sorted by path, parents first. ``hidden`` paths and all below them are left out.

    Mount points that a start had to make are shown, as Docker does.
    """
    found = await snapshots.changes(key)
    kept = [(path, kind) for path, kind in found if not any(path == root or path.startswith(root + "/") for root in hidden)]
    return sorted(kept, key=lambda change: change[0].split("/"))
