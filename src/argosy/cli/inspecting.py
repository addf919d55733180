"""``inspect`` of any noun: print what was found, tell what was not, and end with 1 then."""

from __future__ import annotations

from argosy.base.errors import ArgosyError
from argosy.cli.errors import ExitError
from argosy.cli.output import document
from argosy.client.errors import ConnectionFailedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def show(names: Iterable[str], wanted: str, find: Callable[[str], object]) -> int:
    """Print the documents that ``find`` returns for the names."""
    from argosy.cli.program import describe

    found, problems = [], []
    for name in names:
        try:
            found.append(find(name))
        except ConnectionFailedError:
            raise
        except ArgosyError as error:
            problems.append(describe(error))
    if found or wanted in ("", "json", "yaml"):
        document.show(found, wanted)
    elif problems:
        # docker's template prints an empty line when it had nothing to print.
        print()
    if problems:
        raise ExitError(1, "\n".join(problems))
    return 0
