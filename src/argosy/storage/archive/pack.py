"""A tree of files as a tar stream.

Directories are read through their file descriptors, links never followed, so a tree that changes meanwhile can only make the
archive wrong, never leave the tree. Times are whole seconds, owners are numbers: as Docker writes them (moby
``archive.FileInfoHeader``).
"""

from __future__ import annotations

import errno
import os
import stat

from argosy.storage.archive import header
from argosy.storage.archive.entry import BLOCK, BLOCK_DEVICE, CHARACTER, DIRECTORY, FIFO, HARDLINK, REGULAR, SYMLINK, Entry
from argosy.storage.archive.idmap import IdMap
from argosy.storage.archive.sink import Sink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_SECOND = 1_000_000_000
_NOT_WRITTEN = (
    "trusted.overlay.",
    "user.overlay.",
    "user.fuseoverlayfs.",
    "system.",
    "security.selinux",
    "security.ima",
    "security.evm",
    "security.apparmor",
)
_OPEN_DIR = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Packer:
    """Writes entries to a sink. ``special(name, stat, packer)`` may write something else and return True (whiteouts)."""

    def __init__(
        self, sink: Sink | None, special: Callable[[bytes, os.stat_result, Packer], bool] | None = None, *, ids: IdMap | None = None
    ) -> None:
        self.sink = sink or Sink(-1)
        self.ids = ids
        self._special = special
        self.links: dict[tuple[int, int], bytes] = {}

    def tree(self, fd: int, name: bytes) -> None:
        """Write what is in the directory ``fd``, names below ``name`` (empty: the root)."""
        for item in sorted(os.listdir(fd)):
            self.item(fd, item, name + b"/" + os.fsencode(item) if name else os.fsencode(item))

    def item(self, parent: int, item: str, name: bytes) -> None:
        """Write ``item`` of the directory ``parent``, and all below it, under ``name``."""
        try:
            found = os.stat(item, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return
        if self._special is not None and self._special(name, found, self):
            return
        mode = found.st_mode
        if stat.S_ISREG(mode):
            self.file(parent, item, name, found)
        elif stat.S_ISDIR(mode):
            fd = open_item(item, _OPEN_DIR, parent)
            if fd >= 0:
                try:
                    self.directory(fd, name, found)
                    self.tree(fd, name)
                finally:
                    os.close(fd)
        else:
            self.other(parent, item, name, found)

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
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                return
            size = found.st_size
            self.put(make_entry(name, REGULAR, found, size=size, xattrs=xattrs(fd)))
            if size:
                sent = self.sink.send(fd, size)
                # A file that shrank meanwhile: the header has promised its length.
                self.sink.zeros(size - sent + -size % BLOCK)
        finally:
            os.close(fd)

    def directory(self, fd: int, name: bytes, found: os.stat_result) -> None:
        self.put(make_entry(name + b"/", DIRECTORY, found, xattrs=xattrs(fd)))

    def other(self, parent: int, item: str, name: bytes, found: os.stat_result) -> None:
        mode = found.st_mode
        if stat.S_ISLNK(mode):
            try:
                target = os.fsencode(os.readlink(item, dir_fd=parent))
            except FileNotFoundError:
                return  # gone meanwhile, or a link of /proc that means nothing to us
            self.put(make_entry(name, SYMLINK, found, linkname=target))
        elif stat.S_ISFIFO(mode):
            self.put(make_entry(name, FIFO, found))
        elif stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            entry = make_entry(name, CHARACTER if stat.S_ISCHR(mode) else BLOCK_DEVICE, found)
            entry.devmajor, entry.devminor = os.major(found.st_rdev), os.minor(found.st_rdev)
            self.put(entry)
        # Sockets have no meaning in an archive; Docker leaves them out too.

    def put(self, entry: Entry) -> None:
        if self.ids is not None:
            entry.uid, entry.gid = self.ids.to_container(entry.uid, entry.gid)
            if entry.xattrs:
                entry.xattrs = self.ids.attributes_to_container(entry.xattrs)
        self.sink.write(header.encode(entry))

    def whiteout(self, name: bytes, mtime: int) -> Entry:
        """Return the member that says that ``name`` (``.wh.…`` already) is gone; it belongs to the container's root."""
        return Entry(name, REGULAR, mode=0o600, uid=0, gid=0, mtime=mtime)

    def whiteout_of(self, name: bytes, found: os.stat_result) -> Entry:
        """Return the member for overlayfs' own mark ``found`` at ``name``."""
        directory, slash, base = name.rpartition(b"/")
        return self.whiteout(directory + slash + b".wh." + base, found.st_mtime_ns // _SECOND * _SECOND)

    def opaque(self, name: bytes, found: os.stat_result) -> Entry:
        """Return the member that says that nothing below shows in the directory ``name``."""
        return make_entry(name + b"/.wh..wh..opq", REGULAR, found)

    def end(self) -> None:
        """Write the end marker and everything that is still held."""
        self.sink.write(header.END)
        self.sink.flush()


def open_item(item: str, flags: int, parent: int) -> int:
    """Return an fd, -1 when the item went away or became something else meanwhile."""
    try:
        return os.open(item, flags, dir_fd=parent)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.ENXIO):
            return -1
        raise


def make_entry(
    name: bytes,
    kind: bytes,
    found: os.stat_result,
    *,
    size: int = 0,
    linkname: bytes = b"",
    xattrs: dict[bytes, bytes] | None = None,
) -> Entry:
    return Entry(
        name,
        kind,
        mode=found.st_mode & 0o7777,
        uid=found.st_uid,
        gid=found.st_gid,
        size=size,
        mtime=found.st_mtime_ns // _SECOND * _SECOND,
        linkname=linkname,
        xattrs=xattrs,
    )


def xattrs(fd: int) -> dict[bytes, bytes] | None:
    """Return the extended attributes that travel in an archive."""
    try:
        names = os.listxattr(fd)
    except OSError:
        return None
    if not names:
        return None
    found = {}
    for name in names:
        if not name.startswith(_NOT_WRITTEN):
            try:
                found[os.fsencode(name)] = os.getxattr(fd, name)
            except OSError:
                continue
    return found
