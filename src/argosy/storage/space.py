"""A full disk, told by name: which file system it is, and what can be done."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from argosy.base.errors import SystemFailureError
from argosy.base.units import human_size

_SIGNS = ("No space left on device", "no space left on device", "disk is full", "Disk quota exceeded")
"""As strerror(3) and SQLite say it, in the message of a worker or of the database."""


class NoSpaceError(SystemFailureError):
    """The file system of the data root is full (500, as with Docker)."""


@contextmanager
def named(path: Path, act: str) -> Iterator[None]:
    """Raise NoSpaceError for a full disk met by ``act`` (``loading the image``); other errors pass."""
    try:
        yield
    except NoSpaceError:
        raise
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise NoSpaceError(_words(path, act)) from error
    except SystemFailureError as error:
        if not any(sign in str(error) for sign in _SIGNS):
            raise
        raise NoSpaceError(_words(path, act)) from error


def _words(path: Path, act: str) -> str:
    found = os.statvfs(path)
    size = human_size(found.f_blocks * found.f_frsize)
    return (
        f"{act}: no space left on device: the file system {_mount_point(path)} ({size}) is full: free some of it, or `prune` what is unused"
    )


def _mount_point(path: Path) -> Path:
    at = path.resolve()
    while not os.path.ismount(at):
        at = at.parent
    return at
