"""What a request meets when somebody else removes the container while it is served."""

from collections.abc import Iterator
from contextlib import contextmanager

from argosy.base.errors import NotFoundError, SystemFailureError
from argosy.engine.container import Container


@contextmanager
def gone_meanwhile(container: Container, ref: str) -> Iterator[None]:
    """Turn failures on files that went with the container into NotFoundError ``No such container``, as for one that came later."""
    try:
        yield
    except (SystemFailureError, OSError) as error:
        if container.removed:
            raise NotFoundError(f"No such container: {ref}") from error
        raise
