"""Leases: what a client was told is there stays for gc's grace time, counted from the file's modification time."""

import errno
import os
import time

from argosy.registry.storage import locks
from argosy.registry.storage.layout import Layout

_RENEW_NS = 600 * 10**9
"""A lease is renewed when it is older than this: shorter than any sensible grace time, and seldom enough to cost nothing."""


def renew(layout: Layout, name: str, path: str) -> int | None:
    """Make a file of a repository young and return its size, None when there is none."""
    try:
        status = os.stat(path)
        if time.time_ns() - status.st_mtime_ns > _RENEW_NS:
            with locks.adding(layout, name):
                os.utime(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        # A root that we may only read: nothing of ours removes either.
        if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise
        return os.stat(path).st_size
    return status.st_size
