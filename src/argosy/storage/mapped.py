"""Workers for a daemon with ``--userns-remap``: jobs on a container's tree are told which ids of the host stand for its own."""

from collections.abc import Mapping, Sequence
from typing import Any

from argosy.storage.model import Directory, RootMount
from argosy.storage.ports import Workers

_ON_TREES = frozenset({"pack", "export", "unpack", "copy_up"})


class MappedWorkers:
    """``uids`` and ``gids``: (container, host, size). See `archive.idmap` for which trees hold which ids."""

    def __init__(self, workers: Workers, *, uids: Sequence[tuple[int, int, int]], gids: Sequence[tuple[int, int, int]]) -> None:
        self._workers = workers
        self._ids = [[list(item) for item in uids], [list(item) for item in gids]]

    async def run(
        self,
        job: str,
        params: Mapping[str, Any],
        *,
        fds: Sequence[int] = (),
        root: RootMount | int | None = None,
        views: Sequence[RootMount] = (),
    ) -> Any:
        if self._concerns(job, params, root):
            params = {"ids": self._ids, **params}
        return await self._workers.run(job, params, fds=fds, root=root, views=views)

    def _concerns(self, job: str, params: Mapping[str, Any], root: RootMount | int | None) -> bool:
        """A plain directory (vfs) is mounted id-mapped as a whole: it holds the container's ids."""
        if job in ("commit_layer", "copy_up"):
            return True
        return job in _ON_TREES and not isinstance(root, Directory)
