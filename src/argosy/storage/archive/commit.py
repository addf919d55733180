"""An upper directory made into a layer in one pass: each item is copied into the new tree and told to the tar.

Only for overlayfs' form, which the new tree keeps. What goes into the tar is read from the copy, so that tree, recipe and tar
are the same whatever a running container does meanwhile.
"""

from __future__ import annotations

import os
import stat

from argosy.storage.archive import header
from argosy.storage.archive.background import BackgroundHash
from argosy.storage.archive.compare import SERVED, is_opaque, is_whiteout
from argosy.storage.archive.copy import copy_data
from argosy.storage.archive.entry import BLOCK, HARDLINK, REGULAR, Entry
from argosy.storage.archive.pack import OPEN_FILE, Packer, make_entry, open_item, xattrs
from argosy.storage.archive.recipe import Writer

_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def commit(upper: int, digest: BackgroundHash, recipe: Writer) -> tuple[int, int]:
    """Copy the directory ``upper`` into the current directory, an empty one; ``digest`` gets what its tar would be.

    Returns the bytes of files, and of the tar.
    """
    os.umask(0)
    mirror = _Mirror(digest, recipe)
    mirror.tree(upper, b"")
    mirror.finish()
    return mirror.size, mirror.tar_size


class _Mirror(Packer):
    """Names are relative to the current directory, in which nothing but what was made here can be met."""

    def __init__(self, digest: BackgroundHash, recipe: Writer) -> None:
        super().__init__(None, self._whiteout)
        self.size = self.tar_size = 0
        self._digest = digest
        self._recipe = recipe
        self._directories: list[tuple[bytes, int]] = []

    def finish(self) -> None:
        for name, mtime in reversed(self._directories):
            os.utime(name, ns=(mtime, mtime))
        self._told(header.END)

    def put(self, entry: Entry) -> None:
        self._told(header.encode(entry))

    def file(self, parent: int, item: str, name: bytes, found: os.stat_result) -> None:
        if found.st_nlink > 1:
            key = (found.st_dev, found.st_ino)
            if (first := self.links.get(key)) is not None:
                os.link(first, name)
                self.put(make_entry(name, HARDLINK, found, linkname=first))
                return
        source = open_item(item, OPEN_FILE, parent)
        if source < 0:
            return
        try:
            found = os.fstat(source)
            if not stat.S_ISREG(found.st_mode):
                return
            if found.st_nlink > 1:
                self.links[(found.st_dev, found.st_ino)] = name
            self._copy(source, name, found)
        finally:
            os.close(source)

    def directory(self, fd: int, name: bytes, found: os.stat_result) -> None:
        os.mkdir(name, 0o700)
        attributes = xattrs(fd) or {}
        self._own(name, found)
        for key, value in attributes.items():
            os.setxattr(name, key, value)
        self._directories.append((name, found.st_mtime_ns))
        super().directory(fd, name, found)
        if is_opaque(fd):
            os.setxattr(name, "trusted.overlay.opaque", b"y")
            self.put(self.opaque(name, found))

    def other(self, parent: int, item: str, name: bytes, found: os.stat_result) -> None:
        if stat.S_ISLNK(found.st_mode):
            target = os.readlink(item, dir_fd=parent)
            os.symlink(target, name)
            self.size += len(os.fsencode(target))
        elif not stat.S_ISSOCK(found.st_mode):
            os.mknod(name, found.st_mode, found.st_rdev)
        else:
            return
        self._own(name, found)
        os.utime(name, ns=(found.st_mtime_ns, found.st_mtime_ns), follow_symlinks=False)
        super().other(parent, item, name, found)

    def _copy(self, source: int, name: bytes, found: os.stat_result) -> None:
        attributes = xattrs(source)
        made = os.open(name, _CREATE, 0o600)
        try:
            copy_data(source, made, found)
            size = os.fstat(made).st_size
            self.put(make_entry(name, REGULAR, found, size=size, xattrs=attributes))
            if size:
                self._recipe.file(name, size, 0)
                self._digest.file(made, 0, size)
                self.tar_size += size
                self._told(bytes(-size % BLOCK))
            self._own(made, found)
            for key, value in (attributes or {}).items():
                os.setxattr(made, key, value)
            os.utime(made, ns=(found.st_mtime_ns, found.st_mtime_ns))
            self.size += size
        finally:
            os.close(made)

    def _told(self, data: bytes) -> None:
        """These bytes come next in the tar."""
        self._digest.data(data)
        self._recipe.append(data)
        self.tar_size += len(data)

    def _own(self, target: bytes | int, found: os.stat_result) -> None:
        if isinstance(target, int):
            os.fchown(target, found.st_uid, found.st_gid)
            os.fchmod(target, found.st_mode & 0o7777)
            return
        os.chown(target, found.st_uid, found.st_gid, follow_symlinks=False)
        if not stat.S_ISLNK(found.st_mode):
            os.chmod(target, found.st_mode & 0o7777)

    def _whiteout(self, name: bytes, found: os.stat_result, packer: Packer) -> bool:
        if os.fsdecode(name.rpartition(b"/")[2]) in SERVED:
            return True
        if not is_whiteout(found):
            return False
        os.mknod(name, stat.S_IFCHR, 0)
        self.put(self.whiteout_of(name, found))
        return True
