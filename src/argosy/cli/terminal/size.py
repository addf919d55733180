"""Tell the daemon the terminal's size, now and whenever it changes."""

from __future__ import annotations

import signal

from argosy.base.errors import ArgosyError
from argosy.cli.terminal import raw
from argosy.cli.terminal.signals import handling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from argosy.cli.session import Session
    from argosy.client.call import Call

# A program that has just been started may not be ready to be resized; docker retries as often.
_ATTEMPTS = 10


def following(
    session: Session, resize: Callable[[int, int], Call[None]], active: bool, *, redraw: bool = False
) -> AbstractContextManager[None]:
    """Resize once and on each SIGWINCH, for a while.

    ``redraw`` first sets another size, so that a program that has long been running draws its screen again.
    """
    from contextlib import contextmanager

    def once(more: int = 0) -> bool:
        found = raw.size()
        if found is None:
            return True
        client = session.new_client()
        try:
            client.call(resize(found[0] + more, found[1] + more))
        except (ArgosyError, OSError):
            return False
        finally:
            client.close()
        return True

    @contextmanager
    def watching() -> Iterator[None]:
        if not active:
            yield
            return
        with handling((signal.SIGWINCH,), lambda _number: _ignore(once())):
            if redraw:
                once(1)
            _first(once)
            yield

    return watching()


def _first(once: Callable[[], bool]) -> None:
    import time

    for attempt in range(_ATTEMPTS):
        if once():
            return
        time.sleep(0.01 * (attempt + 1))


def _ignore(_done: bool) -> None:
    """A size that cannot be set is not worth ending for."""
