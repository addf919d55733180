"""Write a download to a file or to standard output."""

from __future__ import annotations

import os
import sys

from argosy.cli.errors import ExitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def check_output(path: str, verb: str) -> None:
    """Refuse a terminal, and a file that cannot be there, before the daemon is asked. Raises ExitError in docker's words."""
    if not path:
        if sys.stdout.isatty():
            raise ExitError(1, "cowardly refusing to save to a terminal. Use the -o flag or redirect")
        return
    directory = os.path.dirname(path) or "."
    if not os.path.isdir(directory):
        raise ExitError(1, f'failed to {verb}: invalid output path: directory "{directory}" does not exist')
    if os.path.isdir(path):
        raise ExitError(1, f'failed to {verb}: invalid output path: "{path}" is a directory')


def write(path: str, pieces: Iterator[bytes]) -> None:
    """Write all; a file appears under its name only when it is complete, as whoever waits for it expects."""
    if not path:
        from argosy.cli.terminal.pump import write_all

        sys.stdout.flush()
        for piece in pieces:
            write_all(1, piece)
        return
    if os.path.exists(path) and not os.path.isfile(path):
        # A pipe or a device cannot be replaced by a new file.
        with open(path, "wb") as file:
            file.writelines(pieces)
        return
    aside = f"{path}.{os.getpid()}.part"
    try:
        with open(aside, "wb") as file:
            for piece in pieces:
                file.write(piece)
        os.replace(aside, path)
    except BaseException:
        if os.path.exists(aside):
            os.unlink(aside)
        raise
