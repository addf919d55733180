"""Members of an archive made real in the current directory of a confined process.

The process is pivoted or chrooted into the tree, so the kernel keeps every path and symlink inside. What differs between a
layer and an archive copied into a container (what to do with something that is already there, whiteouts) is in `apply` and
`unpack`.
"""

from __future__ import annotations

import errno
import os
import stat

from argosy.storage.archive.entry import (
    BLOCK_DEVICE,
    CHARACTER,
    DIRECTORY,
    FIFO,
    HARDLINK,
    REGULAR,
    SYMLINK,
    ArchiveError,
    Entry,
    clean,
    show,
)
from argosy.storage.archive.idmap import IdMap
from argosy.storage.archive.reader import Reader
from argosy.storage.archive.recipe import Writer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_SMALL = 2000
"""Bytes of an extended attribute that every file system takes beside others."""
_LAST_TIME = (1 << 63) - 1
_INTERNAL = (
    b"trusted.overlay.",
    b"user.overlay.",
    b"user.fuseoverlayfs.",
    b"system.",
    b"security.selinux",
    b"security.ima",
    b"security.evm",
)
"""Not taken from archives: overlayfs' own (a redirect would lead into other layers), ACLs, and labels of another host."""


class Extractor:
    """Puts entries where they belong. ``existing(path, entry)`` is asked when something is in the way; it returns True when
    a directory may be kept and merged, else it has made room. ``owner`` replaces the owner of every entry."""

    def __init__(
        self,
        reader: Reader,
        existing: Callable[[bytes, Entry], bool],
        *,
        recipe: Writer | None = None,
        owner: tuple[int, int] | None = None,
        ids: IdMap | None = None,
    ) -> None:
        self.size = 0
        self._reader = reader
        self._existing = existing
        self._recipe = recipe
        self._owner = owner
        self._ids = ids
        self._directories: dict[bytes, int] = {}
        os.umask(0)

    def place(self, path: bytes, entry: Entry) -> None:
        """Create what ``entry`` describes at ``path`` (clean, relative). Raises ArchiveError for what it may not be."""
        if self._owner is not None:
            entry.uid, entry.gid = self._owner
        _check(path, entry)
        if self._ids is not None:
            entry.uid, entry.gid = self._ids.to_host(entry.uid, entry.gid)
            entry.xattrs = self._ids.attributes_to_host(entry.xattrs)
        try:
            self._retry(path, entry)
        except OSError as error:
            if error.errno not in _ARCHIVES_FAULT:
                raise
            raise ArchiveError(f"{_WORDS.get(entry.kind, 'open')} /{show(path)}: {_reason(error)}") from error

    def finish(self) -> None:
        """Give directories the times that their contents have changed meanwhile, deepest first."""
        for path in sorted(self._directories, reverse=True):
            mtime = self._directories[path]
            try:
                os.utime(path, ns=(mtime, mtime), follow_symlinks=False)
            except FileNotFoundError:
                continue

    def forget(self, path: bytes) -> None:
        """The directory ``path`` is no longer there, nor what was below it."""
        below = path + b"/"
        self._directories = {known: time for known, time in self._directories.items() if known != path and not known.startswith(below)}

    def _retry(self, path: bytes, entry: Entry) -> None:
        for _ in range(3):
            try:
                return self._create(path, entry)
            except FileExistsError:
                if self._existing(path, entry):
                    return self._directory_metadata(path, entry)
            except FileNotFoundError:
                if entry.kind == HARDLINK and _has_parent(path):
                    raise
                self.make_parents(path)
        return self._create(path, entry)

    def make_parents(self, path: bytes) -> None:
        """Create the directories that the archive did not mention."""
        done = b""
        for part in path.split(b"/")[:-1]:
            done = done + b"/" + part if done else part
            try:
                os.mkdir(done, 0o755)
            except FileExistsError:
                continue
        if done and not os.path.isdir(done):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))

    def _create(self, path: bytes, entry: Entry) -> None:
        kind = entry.kind
        if kind == REGULAR:
            self._file(path, entry)
        elif kind == DIRECTORY:
            os.mkdir(path, entry.mode & 0o1777)
            self._directory_metadata(path, entry)
        elif kind == SYMLINK:
            os.symlink(entry.linkname, path)
            # A link's size is its target's length, and Docker counts it.
            self.size += len(entry.linkname)
            self._metadata(path, entry)
        elif kind == HARDLINK:
            os.link(clean(entry.linkname), path, follow_symlinks=False)
        elif kind in (CHARACTER, BLOCK_DEVICE, FIFO):
            form = {CHARACTER: stat.S_IFCHR, BLOCK_DEVICE: stat.S_IFBLK, FIFO: stat.S_IFIFO}[kind]
            os.mknod(path, form | entry.mode, os.makedev(entry.devmajor, entry.devminor) if kind != FIFO else 0)
            self._metadata(path, entry)
        else:
            raise ArchiveError(f"unhandled tar header type {kind[0]}")

    def _file(self, path: bytes, entry: Entry) -> None:
        fd = os.open(path, _CREATE, entry.mode & 0o7777)
        try:
            made = os.fstat(fd)
            if self._recipe is not None and entry.sparse is None:
                if entry.stored:
                    self._recipe.file(path, entry.stored, made.st_ino)
                self._reader.copy(fd)
            elif entry.sparse is None:
                self._reader.copy(fd)
            else:
                for offset, length in entry.sparse:
                    os.lseek(fd, offset, os.SEEK_SET)
                    self._reader.copy_part(fd, length)
                os.ftruncate(fd, entry.size)
            if made.st_uid != entry.uid or made.st_gid != entry.gid:
                _own(fd, entry)
            for key, value in entry.xattrs.items():
                _set_xattr(fd, key, value)
            mtime = _bound(entry.mtime)
            os.utime(fd, ns=(mtime, mtime))
        except BaseException:
            # An archive that breaks off in a file leaves no half of it, however large that had become.
            _unlink(path)
            raise
        finally:
            os.close(fd)
        self.size += entry.size

    def _directory_metadata(self, path: bytes, entry: Entry) -> None:
        os.chown(path, entry.uid, entry.gid, follow_symlinks=False)
        os.chmod(path, entry.mode)
        for key, value in entry.xattrs.items():
            _set_xattr(path, key, value)
        self._directories[path] = _bound(entry.mtime)

    def _metadata(self, path: bytes, entry: Entry) -> None:
        if entry.uid or entry.gid:
            os.chown(path, entry.uid, entry.gid, follow_symlinks=False)
        if entry.kind != SYMLINK:
            # mknod leaves out what chown took away.
            os.chmod(path, entry.mode)
        for key, value in entry.xattrs.items():
            _set_xattr(path, key, value)
        mtime = _bound(entry.mtime)
        os.utime(path, ns=(mtime, mtime), follow_symlinks=False)


_LAST_ID = (1 << 32) - 1
_ARCHIVES_FAULT = frozenset(
    (errno.ENOENT, errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EFBIG, errno.EMLINK)
)
_WORDS = {DIRECTORY: "mkdir", SYMLINK: "symlink", HARDLINK: "link", CHARACTER: "mknod", BLOCK_DEVICE: "mknod", FIFO: "mkfifo"}


def _check(path: bytes, entry: Entry) -> None:
    """Refuse numbers that the kernel's fields cannot hold; -1, in 32 bits, would mean "as it is" to chown(2)."""
    if not (0 <= entry.uid < _LAST_ID and 0 <= entry.gid < _LAST_ID):
        raise ArchiveError(f"/{show(path)}: owner {entry.uid}:{entry.gid} is out of range")
    if not (0 <= entry.devmajor <= 0xFFF and 0 <= entry.devminor <= 0xFFFFF) and entry.kind in (CHARACTER, BLOCK_DEVICE):
        raise ArchiveError(f"/{show(path)}: device {entry.devmajor}:{entry.devminor} is out of range")
    if entry.size > _LAST_TIME:
        raise ArchiveError(f"/{show(path)}: {entry.size} bytes are more than a file can have")


def remove_tree(path: bytes, gone: Callable[[int], None]) -> None:
    """Remove whatever is at ``path``, links never followed; tell ``gone`` each inode of a file."""
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode):
        gone(found.st_ino)
        os.unlink(path)
        return
    with os.scandir(path) as listing:
        names = [item.path for item in listing]
    for name in names:
        remove_tree(name, gone)
    os.rmdir(path)


def _unlink(path: bytes) -> None:
    try:
        os.unlink(path)
    except OSError:
        # Why it is to go is the thing to tell.
        return


def _has_parent(path: bytes) -> bool:
    return os.path.isdir(os.path.dirname(path) or b".")


def _own(fd: int, entry: Entry) -> None:
    os.fchown(fd, entry.uid, entry.gid)
    if entry.mode & 0o6000:
        # chown(2) clears set-user-id and set-group-id.
        os.fchmod(fd, entry.mode)


def _set_xattr(target: bytes | int, key: bytes, value: bytes) -> None:
    if key.startswith(_INTERNAL):
        return
    try:
        os.setxattr(target, key, value, follow_symlinks=isinstance(target, int))
    except OSError as error:
        # A file system without them, or a kind of file that cannot have them, is no reason to refuse an image.
        if error.errno in (errno.E2BIG, errno.ERANGE) or (error.errno == errno.ENOSPC and len(value) > _SMALL):
            # ext4 calls an attribute that does not fit into its one block a full disk.
            raise ArchiveError(f"extended attribute {show(key)} of {len(value)} bytes is more than this file system takes") from error
        if error.errno not in (errno.ENOTSUP, errno.EPERM, errno.EINVAL):
            raise


def _bound(ns: int) -> int:
    return ns if 0 <= ns <= _LAST_TIME else 0


def _reason(error: OSError) -> str:
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]
