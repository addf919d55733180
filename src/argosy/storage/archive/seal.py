"""An upper directory that becomes a layer where it lies: nothing is copied, only read.

For a writable tree that nobody uses any more (a build's). What cannot be in a layer is taken out of the tree (sockets), and
times can be held back to a given moment, so that two builds of the same thing give the same bytes.
"""

from __future__ import annotations

import os
import stat

from argosy.storage.archive import header
from argosy.storage.archive.background import BackgroundHash
from argosy.storage.archive.compare import SERVED, is_opaque, is_whiteout
from argosy.storage.archive.entry import BLOCK, HARDLINK, REGULAR, Entry
from argosy.storage.archive.pack import OPEN_FILE, Packer, make_entry, open_item, xattrs
from argosy.storage.archive.recipe import Writer

_SECOND = 1_000_000_000
_OPEN_DIR = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def seal(digest: BackgroundHash, recipe: Writer, latest: int = -1) -> tuple[int, int]:
    """Tell ``digest`` and ``recipe`` what the current directory's tar would be; return the bytes of files, and of the tar.

    ``latest``: seconds since the epoch; no time in the tree stays above it (-1: as they are).
    """
    sealer = _Sealer(digest, recipe, latest)
    root = os.open(".", _OPEN_DIR)
    try:
        # The root itself is in no layer: it is as every layer's is, whatever the program did to it.
        os.fchown(root, 0, 0)
        os.fchmod(root, 0o755)
        sealer.tree(root, b"")
        sealer.finish()
    finally:
        os.close(root)
    return sealer.size, sealer.tar_size


class _Sealer(Packer):
    """Names are relative to the current directory."""

    def __init__(self, digest: BackgroundHash, recipe: Writer, latest: int) -> None:
        super().__init__(None, self._whiteout)
        self.size = self.tar_size = 0
        self._digest = digest
        self._recipe = recipe
        self._latest = latest * _SECOND if latest >= 0 else -1
        self._directories: list[tuple[bytes, int]] = []

    def finish(self) -> None:
        for name, mtime in reversed(self._directories):
            os.utime(name, ns=(mtime, mtime))
        self._told(header.END)

    def put(self, entry: Entry) -> None:
        if 0 <= self._latest < entry.mtime:
            entry.mtime = self._latest
        self._told(header.encode(entry))

    def file(self, parent: int, item: str, name: bytes, found: os.stat_result) -> None:
        if found.st_nlink > 1:
            key = (found.st_dev, found.st_ino)
            if (first := self.links.get(key)) is not None:
                self.put(make_entry(name, HARDLINK, found, linkname=first))
                return
            self.links[key] = name
        fd = open_item(item, OPEN_FILE, parent)
        if fd < 0:
            return
        try:
            if self._late(found):
                os.utime(fd, ns=(self._latest, self._latest))
            size = found.st_size
            self.put(make_entry(name, REGULAR, found, size=size, xattrs=xattrs(fd)))
            if size:
                self._recipe.file(name, size, 0)
                self._digest.file(fd, 0, size)
                self.tar_size += size
                self._told(bytes(-size % BLOCK))
            self.size += size
        finally:
            os.close(fd)

    def directory(self, fd: int, name: bytes, found: os.stat_result) -> None:
        super().directory(fd, name, found)
        if is_opaque(fd):
            self.put(self.opaque(name, found))
        if self._late(found):
            self._directories.append((name, self._latest))

    def other(self, parent: int, item: str, name: bytes, found: os.stat_result) -> None:
        if stat.S_ISSOCK(found.st_mode):
            os.unlink(item, dir_fd=parent)
            return
        if stat.S_ISLNK(found.st_mode):
            self.size += found.st_size
        if self._late(found):
            os.utime(item, ns=(self._latest, self._latest), dir_fd=parent, follow_symlinks=False)
        super().other(parent, item, name, found)

    def _late(self, found: os.stat_result) -> bool:
        return 0 <= self._latest < found.st_mtime_ns

    def _told(self, data: bytes) -> None:
        """These bytes come next in the tar."""
        self._digest.data(data)
        self._recipe.append(data)
        self.tar_size += len(data)

    def _whiteout(self, name: bytes, found: os.stat_result, packer: Packer) -> bool:
        if os.fsdecode(name.rpartition(b"/")[2]) in SERVED:
            return True
        if not is_whiteout(found):
            return False
        self.put(self.whiteout_of(name, found))
        return True
