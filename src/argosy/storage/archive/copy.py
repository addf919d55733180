"""A tree of files copied with everything that belongs to it, by directory fds on both sides."""

from __future__ import annotations

import errno
import os
import stat

from argosy.storage.archive.idmap import IdMap

_OPEN_DIR = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MOVE = 1 << 24


def copy_tree(source: int, target: int, ids: IdMap | None = None) -> int:
    """Copy what is in the directory ``source`` into the empty directory ``target``, its own metadata too; return bytes.

    ``ids``: the target is a file system with the host's ids, the source has the container's.
    """
    os.umask(0)
    copier = _Copier(target, ids)
    copier.contents(source, target)
    copier.metadata(source, target, os.fstat(source))
    return copier.size


class _Copier:
    def __init__(self, root: int, ids: IdMap | None) -> None:
        self.size = 0
        self._ids = ids
        self._root = root
        self._links: dict[tuple[int, int], str] = {}

    def contents(self, source: int, target: int, path: str = "") -> None:
        for item in os.listdir(source):
            found = os.stat(item, dir_fd=source, follow_symlinks=False)
            mode = found.st_mode
            name = f"{path}/{item}" if path else item
            if stat.S_ISDIR(mode):
                self._directory(item, source, target, found, name)
            elif stat.S_ISREG(mode):
                self._file(item, source, target, found, name)
            elif not stat.S_ISSOCK(mode):
                self._other(item, source, target, found)

    def metadata(self, source: int, target: int, found: os.stat_result) -> None:
        """Give the open file or directory ``target`` the owner, mode, attributes and times of ``source``."""
        if found.st_uid or found.st_gid or self._ids is not None:
            os.fchown(target, *self._owner(found))
        os.fchmod(target, found.st_mode & 0o7777)
        for key in os.listxattr(source):
            if key.startswith(("trusted.overlay.", "user.overlay.", "user.fuseoverlayfs.")):
                continue
            try:
                self._attribute(target, os.fsencode(key), os.getxattr(source, key))
            except OSError as error:
                if error.errno not in (errno.ENOTSUP, errno.EPERM, errno.ENODATA):
                    raise
        os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))

    def _attribute(self, target: int, key: bytes, value: bytes) -> None:
        os.setxattr(target, key, value if self._ids is None else self._ids.attributes_to_host({key: value})[key])

    def _owner(self, found: os.stat_result) -> tuple[int, int]:
        return (found.st_uid, found.st_gid) if self._ids is None else self._ids.to_host(found.st_uid, found.st_gid)

    def _directory(self, item: str, source: int, target: int, found: os.stat_result, name: str) -> None:
        os.mkdir(item, 0o700, dir_fd=target)
        below = os.open(item, _OPEN_DIR, dir_fd=source)
        into = os.open(item, _OPEN_DIR, dir_fd=target)
        try:
            self.contents(below, into, name)
            self.metadata(below, into, found)
        finally:
            os.close(below)
            os.close(into)

    def _file(self, item: str, source: int, target: int, found: os.stat_result, name: str) -> None:
        if found.st_nlink > 1:
            key = (found.st_dev, found.st_ino)
            if key in self._links:
                os.link(self._links[key], item, src_dir_fd=self._root, dst_dir_fd=target, follow_symlinks=False)
                return
            self._links[key] = name
        reading = os.open(item, _OPEN_FILE, dir_fd=source)
        try:
            writing = os.open(item, _CREATE, 0o600, dir_fd=target)
            try:
                copy_data(reading, writing, found)
                self.metadata(reading, writing, found)
            finally:
                os.close(writing)
        finally:
            os.close(reading)
        self.size += found.st_size

    def _other(self, item: str, source: int, target: int, found: os.stat_result) -> None:
        if stat.S_ISLNK(found.st_mode):
            os.symlink(os.readlink(item, dir_fd=source), item, dir_fd=target)
        else:
            os.mknod(item, found.st_mode, found.st_rdev, dir_fd=target)
        os.chown(item, *self._owner(found), dir_fd=target, follow_symlinks=False)
        if not stat.S_ISLNK(found.st_mode):
            os.chmod(item, found.st_mode & 0o7777, dir_fd=target)
        os.utime(item, ns=(found.st_atime_ns, found.st_mtime_ns), dir_fd=target, follow_symlinks=False)


def copy_data(source: int, target: int, found: os.stat_result) -> None:
    """Copy the file's data; holes stay holes (lseek(2) SEEK_DATA)."""
    size = found.st_size
    if found.st_blocks * 512 >= size:
        _range(source, target, 0, size)
        return
    end = 0
    while end < size:
        try:
            start = os.lseek(source, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                break
            raise
        end = os.lseek(source, start, os.SEEK_HOLE)
        _range(source, target, start, end)
    os.ftruncate(target, size)


def _range(source: int, target: int, start: int, end: int) -> None:
    while start < end:
        try:
            done = os.copy_file_range(source, target, min(_MOVE, end - start), start, start)
        except OSError:
            # Across file systems on older kernels, or where the file system cannot.
            data = os.pread(source, min(1 << 20, end - start), start)
            done = os.pwrite(target, data, start) if data else 0
        if not done:
            return
        start += done
