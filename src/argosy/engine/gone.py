"""What a request meets when the container ends, or somebody else removes it, while it is served."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from argosy.base.errors import NotFoundError, SystemFailureError
from argosy.engine.container import Container
from argosy.engine.copy.place import Place

T = TypeVar("T")


@contextmanager
def gone_meanwhile(container: Container, ref: str) -> Iterator[None]:
    """Turn failures on files that went with the container into NotFoundError ``No such container``, as for one that came later."""
    try:
        yield
    except (SystemFailureError, OSError) as error:
        if container.removed:
            raise NotFoundError(f"No such container: {ref}") from error
        raise


async def in_place(find: Callable[[bool], Awaitable[Place]], work: Callable[[Place], Awaitable[T]]) -> T:
    """Work in a container's files as its processes see them, and once more in its snapshot when they end before that begins.

    ``find`` returns the place; its argument says that the container is to be taken as stopped.
    """
    place = await find(False)
    try:
        return await work(place)
    except (SystemFailureError, OSError):
        if not place.ended:
            raise
    return await work(await find(True))
