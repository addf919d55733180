"""What the storage layer needs of those above it."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from argosy.storage.model import Mapped, RootMount


class Workers(Protocol):
    """Runs file work in processes forked from the launcher and confined to the tree they work on."""

    async def run(
        self,
        job: str,
        params: Mapping[str, Any],
        *,
        fds: Sequence[int] = (),
        root: RootMount | Mapped | int | None = None,
        views: Sequence[RootMount | Mapped] = (),
    ) -> Any:
        """Run ``argosy.storage.archive.jobs.JOBS[job](params, fds)`` and return its (JSON) result.

        ``fds`` reach the worker in this order (the caller keeps and closes its own copies). ``root``: the worker is in a mount
        namespace of its own, pivoted into that snapshot, or chrooted into ``/proc/PID/root`` of that running process; None: the
        host's root. A mapped root is mounted as the container's; the worker acts as the container's root among the host's ids, and
        the job's ``ids`` tell it the mapping. ``views`` are trees to read from: the job finds an fd of each behind ``fds``.
        Nothing is imported after the pivot. Raises the error kind the job failed with (`base.errors`), or SystemFailureError with
        the worker's reason. Cancelling kills the worker.
        """
        ...
