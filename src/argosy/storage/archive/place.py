"""Files put into an image by COPY and ADD; the process is confined to the tree that is built, sources are directory fds.

What a destination means is BuildKit's way (its ``fsutil/copy`` and ``file`` backend): links in the destination's own path are
followed within the root, below it nothing is; directories merge, everything else is replaced.
"""

from __future__ import annotations

import errno
import os
import stat

from argosy.base.errors import InvalidParameterError
from argosy.base.patterns import Patterns
from argosy.linux.openat2 import openat2
from argosy.storage.archive.copy import copy_data
from argosy.storage.archive.modes import Mode

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

TYPE_CHECKING = False
if TYPE_CHECKING:
    Owner = tuple[int, int] | None


def make_directory(path: str, owner: Owner, mode: int = 0o755) -> str:
    """Create a directory with all that is missing above it; return where it really is, links followed."""
    os.umask(0)
    real = os.path.realpath(path)
    done = "/"
    for part in real.split("/")[1:]:
        done = os.path.join(done, part)
        try:
            os.mkdir(done, mode)
        except FileExistsError:
            continue
        except NotADirectoryError as error:
            raise InvalidParameterError(f"cannot create directory {path}: {done} lies below a file") from error
        if owner is not None:
            os.chown(done, *owner)
    if not os.path.isdir(real):
        raise InvalidParameterError(f"cannot create directory {path}: it is a file")
    return real


class Placer:
    """``owner`` None keeps the sources' own; ``parents`` keeps the path of a source after its ``./``."""

    def __init__(self, target: str, *, owner: Owner, mode: Mode, excludes: Patterns, parents: bool) -> None:
        os.umask(0)
        self._target = target
        self._owner = owner
        self._mode = mode
        self._excludes = excludes
        self._parents = parents
        self._links: dict[tuple[int, int], str] = {}
        self.size = 0

    def put(self, root: int, path: str, name: str = "", kept: str = "") -> None:
        """Copy the source ``path`` of the tree ``root``; a file may get another ``name``. ``kept``: its path with ``--parents``."""
        fd = openat2(root, os.fsencode(path or "."), os.O_RDONLY | os.O_NONBLOCK)
        try:
            found = os.fstat(fd)
            if stat.S_ISDIR(found.st_mode):
                self._put_directory(fd, found, self._kept(root, path, kept) if self._parents else self._target)
            else:
                self._put_file(fd, found, name or path.rpartition("/")[2], root, path, kept)
        finally:
            os.close(fd)

    def _kept(self, root: int, path: str, kept: str) -> str:
        """Make the directories of ``kept`` below the target like their originals; return the last one's path."""
        real = make_directory(self._target, self._owner, self._mode.directories)
        prefix = path[: len(path) - len(kept)] if kept else path
        done = ""
        for part in kept.split("/") if kept else ():
            done = f"{done}/{part}" if done else part
            into = os.path.join(real, done)
            if not os.path.lexists(into):
                original = openat2(root, os.fsencode(prefix + done), os.O_RDONLY | os.O_NONBLOCK)
                try:
                    found = os.fstat(original)
                    if not stat.S_ISDIR(found.st_mode):
                        break
                    os.mkdir(into, 0o700)
                    self._own(into, found)
                finally:
                    os.close(original)
        return os.path.join(real, kept)

    def _put_directory(self, fd: int, found: os.stat_result, target: str) -> None:
        fresh = not os.path.isdir(os.path.realpath(target))
        real = make_directory(target, self._owner, self._mode.directories)
        into = os.open(real, _DIRECTORY)
        try:
            self._contents(fd, into, "", real)
            if fresh:
                # Its own mode is that of any directory made on the way; only what it holds is copied.
                self._metadata(fd, into, found)
                os.fchmod(into, self._mode.directories)
        finally:
            os.close(into)

    def _put_file(self, fd: int, found: os.stat_result, name: str, root: int, path: str, kept: str) -> None:
        if self._excludes.excludes(name):
            return
        real = os.path.realpath(self._target)
        if self._parents:
            directory = self._kept(root, path[: -len(name) - 1] if "/" in path else "", kept[: -len(name) - 1] if "/" in kept else "")
        elif self._target.endswith(("/", "/.")) or os.path.isdir(real):
            directory = make_directory(self._target, self._owner, self._mode.directories)
        else:
            directory, name = os.path.split(real)
            make_directory(directory, self._owner, self._mode.directories)
        into = os.open(directory, _DIRECTORY)
        try:
            self._clear(into, name, directory)
            if stat.S_ISREG(found.st_mode):
                self._write(fd, found, into, name, os.path.join(directory, name))
            else:
                self._node(found, into, name)
        finally:
            os.close(into)

    def _contents(self, source: int, target: int, path: str, real: str) -> None:
        for item in sorted(os.listdir(source)):
            name = f"{path}/{item}" if path else item
            found = os.stat(item, dir_fd=source, follow_symlinks=False)
            excluded = self._excludes.excludes(name)
            if stat.S_ISDIR(found.st_mode):
                if not excluded or self._excludes.may_readmit(name):
                    self._directory(source, target, item, name, found, real)
            elif not excluded and not stat.S_ISSOCK(found.st_mode):
                self._clear(target, item, real)
                self._item(source, target, item, found, f"{real}/{item}")

    def _directory(self, source: int, target: int, item: str, name: str, found: os.stat_result, real: str) -> None:
        try:
            os.mkdir(item, 0o700, dir_fd=target)
        except FileExistsError:
            if not stat.S_ISDIR(os.stat(item, dir_fd=target, follow_symlinks=False).st_mode):
                raise InvalidParameterError(f"cannot copy to non-directory: {real}/{item}") from None
        below = os.open(item, _DIRECTORY, dir_fd=source)
        into = os.open(item, _DIRECTORY, dir_fd=target)
        try:
            self._contents(below, into, name, f"{real}/{item}")
            self._metadata(below, into, found)
        finally:
            os.close(below)
            os.close(into)

    def _clear(self, target: int, item: str, real: str) -> None:
        try:
            found = os.stat(item, dir_fd=target, follow_symlinks=False)
        except FileNotFoundError:
            return
        if stat.S_ISDIR(found.st_mode):
            raise InvalidParameterError(f"cannot overwrite directory {real}/{item} with a file")
        os.unlink(item, dir_fd=target)

    def _item(self, source: int, target: int, item: str, found: os.stat_result, real: str) -> None:
        if stat.S_ISREG(found.st_mode):
            if found.st_nlink > 1:
                key = (found.st_dev, found.st_ino)
                if key in self._links:
                    os.link(self._links[key], item, dst_dir_fd=target, follow_symlinks=False)
                    return
                self._links[key] = real
            reading = os.open(item, _FILE, dir_fd=source)
            try:
                self._write(reading, os.fstat(reading), target, item, real)
            finally:
                os.close(reading)
        elif stat.S_ISLNK(found.st_mode):
            os.symlink(os.readlink(item, dir_fd=source), item, dir_fd=target)
            os.chown(item, *self._owner_of(found), dir_fd=target, follow_symlinks=False)
            os.utime(item, ns=(found.st_mtime_ns, found.st_mtime_ns), dir_fd=target, follow_symlinks=False)
        else:
            self._node(found, target, item)

    def _node(self, found: os.stat_result, target: int, item: str) -> None:
        os.mknod(item, found.st_mode, found.st_rdev, dir_fd=target)
        os.chown(item, *self._owner_of(found), dir_fd=target, follow_symlinks=False)
        os.chmod(item, self._mode_of(found), dir_fd=target)
        os.utime(item, ns=(found.st_mtime_ns, found.st_mtime_ns), dir_fd=target)

    def _write(self, reading: int, found: os.stat_result, target: int, item: str, real: str) -> None:
        try:
            writing = os.open(item, _CREATE, 0o600, dir_fd=target)
        except OSError as error:
            raise InvalidParameterError(f"cannot create {real}: {os.strerror(error.errno or 0).lower()}") from error
        try:
            copy_data(reading, writing, found)
            self._metadata(reading, writing, found)
        finally:
            os.close(writing)
        self.size += found.st_size

    def _metadata(self, source: int, target: int, found: os.stat_result) -> None:
        os.fchown(target, *self._owner_of(found))
        os.fchmod(target, self._mode_of(found))
        for key in os.listxattr(source):
            if key.startswith(("trusted.overlay.", "user.overlay.")):
                continue
            try:
                os.setxattr(target, key, os.getxattr(source, key))
            except OSError as error:
                if error.errno not in (errno.ENOTSUP, errno.EPERM, errno.ENODATA):
                    raise
        os.utime(target, ns=(found.st_mtime_ns, found.st_mtime_ns))

    def _own(self, path: str, found: os.stat_result) -> None:
        os.chown(path, *self._owner_of(found))
        os.chmod(path, self._mode_of(found))

    def _owner_of(self, found: os.stat_result) -> tuple[int, int]:
        return self._owner if self._owner is not None else (found.st_uid, found.st_gid)

    def _mode_of(self, found: os.stat_result) -> int:
        return self._mode.of(found.st_mode)
