"""``POST /containers/prune``: remove stopped containers."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from argosy.base.errors import ConflictError, NotFoundError
from argosy.engine import filters as match
from argosy.engine.filters import Filters
from argosy.engine.model import Status
from argosy.engine.view import View

V = TypeVar("V", bound=View)

ACCEPTED = frozenset({"label", "label!", "until"})
_KEPT = (Status.RUNNING, Status.PAUSED, Status.RESTARTING, Status.REMOVING)


def prunable(views: Iterable[V], filters: Filters, now_ns: int) -> list[V]:
    """Return the stopped containers that the filters name, all of them without filters.

    Raises InvalidParameterError (``invalid filter 'x'``, ``more than one until filter specified``).
    """
    match.accept(filters, ACCEPTED)
    limit = match.until(filters, now_ns)
    return [
        view
        for view in views
        if view.state.status not in _KEPT
        and (limit is None or view.spec.created <= limit)
        and match.labels(filters, view.spec.config.labels)
        and match.without_labels(filters, view.spec.config.labels)
    ]


async def prune(views: Iterable[V], filters: Filters, now_ns: int, remove: Callable[[V], Awaitable[int]]) -> tuple[list[str], int]:
    """Remove them one after the other; return (ids removed, bytes freed).

    ``remove`` returns the bytes that the container itself held. One that was started or removed meanwhile is passed over.
    """
    removed: list[str] = []
    freed = 0
    for view in prunable(views, filters, now_ns):
        try:
            freed += await remove(view)
        except (NotFoundError, ConflictError):
            continue
        removed.append(view.spec.id)
    return removed, freed
