"""Ask before something is destroyed."""

from __future__ import annotations

import sys

from argosy.cli.errors import ExitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argosy.cli.flags import Values


def confirm(values: Values, warning: str) -> None:
    """Return if the user agrees or said ``--force``; raises ExitError otherwise. The end of input is a no."""
    if values.switch("force"):
        return
    sys.stdout.write(f"{warning}\nAre you sure you want to continue? [y/N] ")
    sys.stdout.flush()
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        sys.stdout.write("\n")
    if answer.strip().lower() != "y":
        raise ExitError(1, "")


def reclaimed(count: int) -> str:
    from argosy.cli.output import human

    return f"Total reclaimed space: {human.size(count)}"
