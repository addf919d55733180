"""A repository's lock: shared by what adds, exclusive for what removes; between processes too (flock(2))."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from argosy.registry.storage.layout import Layout
from argosy.registry.storage.writing import in_directory


@contextmanager
def adding(layout: Layout, name: str) -> Iterator[None]:
    """Hold the lock shared; makes the repository's folder."""
    with _locked(layout.lock(name), fcntl.LOCK_SH):
        yield


@contextmanager
def removing(layout: Layout, name: str) -> Iterator[None]:
    """Hold the lock exclusively."""
    with _locked(layout.lock(name), fcntl.LOCK_EX):
        yield


@contextmanager
def _locked(path: str, how: int) -> Iterator[None]:
    while True:
        fd = in_directory(path, lambda: os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644))
        try:
            fcntl.flock(fd, how)
            if _still_there(path, fd):
                yield
                return
        finally:
            os.close(fd)


def _still_there(path: str, fd: int) -> bool:
    """Gc removes the lock of an empty repository while it holds it: who waited for it takes the next one."""
    mine = os.fstat(fd)
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return False
    return (mine.st_dev, mine.st_ino) == (found.st_dev, found.st_ino)
