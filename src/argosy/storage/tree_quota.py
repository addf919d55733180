"""How many bytes a directory tree may hold: a project quota of the file system that it lies on (`linux.project_quota`).

A project's number is drawn from the tree's name, and is free where nothing is counted or limited under it: no list of numbers is kept,
so none can be stale, and two daemons on one file system keep out of each other's way.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from argosy.linux import project_quota

_LOWEST, _HIGHEST = 1 << 20, (1 << 32) - 2
"""Numbers below are what administrators write into /etc/projects."""


def supported(directory: Path) -> bool:
    """Return whether trees in the directory can be limited."""
    with _opened(directory) as fd:
        return project_quota.enforced(fd)


def limit(name: str, directories: Sequence[Path], size: int) -> None:
    """Let the directories, which are empty, hold ``size`` bytes together from now on. Raises OSError."""
    with _opened(directories[0]) as first:
        project = next(number for number in candidates(name) if project_quota.quota(first, number) == (0, 0))
        # The limit first: from then on the number is taken.
        project_quota.set_limit(first, project, size)
        for directory in directories:
            with _opened(directory) as fd:
                project_quota.assign(fd, project)


def release(directory: Path) -> None:
    """Take the limit of a tree away, so that its number is free when its files are gone. One without is fine."""
    try:
        with _opened(directory) as fd:
            if project := project_quota.project_of(fd):
                project_quota.set_limit(fd, project, 0)
    except OSError:
        # Most file systems have no projects; and what is left of one is a number that nobody draws again.
        return


def candidates(name: str) -> Iterator[int]:
    """Yield the numbers that a tree of that name may have, the likeliest first; as many as there are."""
    start = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    room = _HIGHEST - _LOWEST + 1
    return (_LOWEST + (start + step) % room for step in range(room))


@contextmanager
def _opened(directory: Path) -> Iterator[int]:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)
