"""``GET /containers/{id}/export``: the container's own file system, without what is mounted in it."""

from collections.abc import AsyncIterator

from argosy.engine.copy.archive import from_worker
from argosy.engine.copy.place import readable
from argosy.storage.model import RootMount
from argosy.storage.ports import Workers


async def export(workers: Workers, root: RootMount) -> AsyncIterator[bytes]:
    """Return the tar of the snapshot; the container may run meanwhile."""
    return from_worker(workers, "export", {}, fds=(), root=readable(root))
