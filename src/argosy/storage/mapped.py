"""Workers for a daemon with ``--userns-remap``: every job is told which ids of the host stand for the container's."""

from collections.abc import Mapping, Sequence
from typing import Any

from argosy.storage.model import RootMount
from argosy.storage.ports import Workers


class MappedWorkers:
    """``uids`` and ``gids``: (container, host, size)."""

    def __init__(self, workers: Workers, *, uids: Sequence[tuple[int, int, int]], gids: Sequence[tuple[int, int, int]]) -> None:
        self._workers = workers
        self._ids = [[list(item) for item in uids], [list(item) for item in gids]]

    async def run(self, job: str, params: Mapping[str, Any], *, fds: Sequence[int] = (), root: RootMount | int | None = None) -> Any:
        return await self._workers.run(job, {"ids": self._ids, **params}, fds=fds, root=root)
