"""A plain tree (vfs) as a layer's tar: what `compare` finds, deletions as ``.wh.`` files (OCI image specification, layer.md).

An upper directory of overlayfs is `commit`'s.
"""

from __future__ import annotations

import os
import stat

from argosy.storage.archive.compare import DELETED, changes
from argosy.storage.archive.entry import Entry
from argosy.storage.archive.pack import Packer
from argosy.storage.archive.sink import Sink

_OPEN_DIR = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class _Held(Packer):
    """No time is above ``latest``, in nanoseconds since the epoch."""

    def __init__(self, sink: Sink, latest: int) -> None:
        super().__init__(sink)
        self._latest = latest

    def put(self, entry: Entry) -> None:
        entry.mtime = min(entry.mtime, self._latest)
        super().put(entry)


def diff_plain(upper: int, lower: int, sink: Sink, latest: int = -1) -> None:
    """Write how the tree ``upper`` differs from the tree ``lower`` as a layer. ``latest``: as in `seal`."""
    packer = Packer(sink) if latest < 0 else _Held(sink, latest * 1_000_000_000)
    for path, kind in changes(upper, lower, overlay=False):
        directory, _, base = path[1:].rpartition("/")
        if kind == DELETED:
            whiteout = os.fsencode(f"{directory}/.wh.{base}" if directory else f".wh.{base}")
            # A deletion has no time here; one that is held back has that of an upper directory's mark.
            packer.put(packer.whiteout(whiteout, max(latest, 0) * 1_000_000_000))
            continue
        parent = os.open(directory, _OPEN_DIR, dir_fd=upper) if directory else os.dup(upper)
        try:
            _alone(packer, parent, base, os.fsencode(path[1:]))
        finally:
            os.close(parent)
    packer.end()


def _alone(packer: Packer, parent: int, base: str, name: bytes) -> None:
    """Write one item; what is in a directory is a change of its own."""
    found = os.stat(base, dir_fd=parent, follow_symlinks=False)
    if not stat.S_ISDIR(found.st_mode):
        packer.item(parent, base, name)
        return
    fd = os.open(base, _OPEN_DIR, dir_fd=parent)
    try:
        packer.directory(fd, name, found)
    finally:
        os.close(fd)
