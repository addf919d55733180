"""Do the same to several things, one after another, as docker: each failure is told, the others are done all the same."""

from __future__ import annotations

from argosy.base.errors import ArgosyError
from argosy.cli.program import describe
from argosy.client.errors import ConnectionFailedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from argosy.cli.session import Session


def each(session: Session, names: Iterable[str], act: Callable[[str], object]) -> int:
    """Call ``act`` for each name and print the name, or what ``act`` returned if that is text; returns 1 if one failed."""
    failed = 0
    for name in names:
        try:
            result = act(name)
        except ConnectionFailedError:
            # It would fail for each of them alike.
            raise
        except ArgosyError as error:
            session.warn(describe(error))
            failed = 1
        else:
            session.say(result if isinstance(result, str) else name)
    return failed
