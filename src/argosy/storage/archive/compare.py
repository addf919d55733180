"""What a writable tree changed against the tree below it.

Two forms, as in `apply`: an overlayfs upper directory holds only what changed, and whiteouts; a plain tree (btrfs, vfs) holds
everything and is compared item by item (moby ``archive.Changes``: mode, owner, device, size, time, attributes; a directory's own
time and size do not count there).
"""

from __future__ import annotations

import os
import stat

from argosy.storage.archive.pack import open_item, xattrs

MODIFIED, ADDED, DELETED = 0, 1, 2
_OPAQUE_XATTR = "trusted.overlay.opaque"
SERVED = (".wh..wh..opq", ".wh..opq")
"""What fuse-overlayfs puts into an upper directory beside the attribute that marks it opaque."""
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_OPEN_DIR = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def changes(upper: int, lower: int, *, overlay: bool) -> list[tuple[str, int]]:
    """Return (absolute path, kind) of all changes, parents first, of directory fd ``upper`` against ``lower`` (-1: nothing)."""
    return (_overlay if overlay else _plain)(upper, lower, "")


def changed_size(upper: int, lower: int) -> int:
    """Return the bytes of the files of the plain tree ``upper`` that are new or changed, each inode once (moby ``archive.ChangesSize``)."""
    total = 0
    seen: set[tuple[int, int]] = set()
    for path, kind in changes(upper, lower, overlay=False):
        if kind == DELETED:
            continue
        try:
            found = os.stat(path[1:], dir_fd=upper, follow_symlinks=False)
        except OSError:
            continue  # gone meanwhile
        if not stat.S_ISDIR(found.st_mode) and (found.st_dev, found.st_ino) not in seen:
            seen.add((found.st_dev, found.st_ino))
            total += found.st_size
    return total


def is_whiteout(found: os.stat_result) -> bool:
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == 0


def is_opaque(fd: int) -> bool:
    try:
        return os.getxattr(fd, _OPAQUE_XATTR) == b"y"
    except OSError:
        return False


def _overlay(upper: int, lower: int, path: str) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for item in sorted(os.listdir(upper)):
        if item in SERVED:
            continue
        name = f"{path}/{item}"
        above = os.stat(item, dir_fd=upper, follow_symlinks=False)
        below = _stat(item, lower)
        if is_whiteout(above):
            if below is not None:
                found.append((name, DELETED))
        elif not stat.S_ISDIR(above.st_mode):
            found.append((name, ADDED if below is None else MODIFIED))
        else:
            found += _overlay_directory(item, upper, lower, name, above, below)
    return found


def _overlay_directory(
    item: str, upper: int, lower: int, name: str, above: os.stat_result, below: os.stat_result | None
) -> list[tuple[str, int]]:
    fd = os.open(item, _OPEN_DIR, dir_fd=upper)
    under = -1
    try:
        merged = below is not None and stat.S_ISDIR(below.st_mode)
        opaque = merged and is_opaque(fd)
        if merged:
            under = os.open(item, _OPEN_DIR, dir_fd=lower)
        if opaque:
            inside = _replaced(fd, under, name)
        else:
            inside = _overlay(fd, under, name)
    finally:
        os.close(fd)
        if under >= 0:
            os.close(under)
    if below is None:
        return [(name, ADDED), *inside]
    # A directory that was only copied up as the parent of something is listed if that something changed.
    if inside or opaque or not merged or _directory_differs(above, below) or above.st_mtime_ns != below.st_mtime_ns:
        return [(name, MODIFIED), *inside]
    return []


def _replaced(upper: int, lower: int, path: str) -> list[tuple[str, int]]:
    """An opaque directory: all of ``lower`` is gone but what ``upper`` has again."""
    names = set(os.listdir(upper))
    gone = [(f"{path}/{item}", DELETED) for item in os.listdir(lower) if item not in names]
    return sorted(gone + _overlay(upper, lower, path))


def _plain(upper: int, lower: int, path: str) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    names = os.listdir(upper)
    known = set(names)
    if lower >= 0:
        names += [item for item in os.listdir(lower) if item not in known]
    for item in sorted(names):
        name = f"{path}/{item}"
        below = _stat(item, lower)
        if item not in known:
            found.append((name, DELETED))
            continue
        above = os.stat(item, dir_fd=upper, follow_symlinks=False)
        if stat.S_ISDIR(above.st_mode):
            found += _plain_directory(item, upper, lower, name, above, below)
        elif below is None:
            found.append((name, ADDED))
        elif _differs(above, below) or _attributes_differ(item, upper, lower, above, below):
            found.append((name, MODIFIED))
    return found


def _plain_directory(
    item: str, upper: int, lower: int, name: str, above: os.stat_result, below: os.stat_result | None
) -> list[tuple[str, int]]:
    merged = below is not None and stat.S_ISDIR(below.st_mode)
    fd = os.open(item, _OPEN_DIR, dir_fd=upper)
    under = os.open(item, _OPEN_DIR, dir_fd=lower) if merged else -1
    try:
        inside = _plain(fd, under, name)
        marked = under >= 0 and xattrs(fd) != xattrs(under)
    finally:
        os.close(fd)
        if under >= 0:
            os.close(under)
    if below is None:
        return [(name, ADDED), *inside]
    if inside or marked or not merged or _directory_differs(above, below):
        return [(name, MODIFIED), *inside]
    return []


def _attributes_differ(item: str, upper: int, lower: int, above: os.stat_result, below: os.stat_result) -> bool:
    """File capabilities and other attributes, of plain files. A snapshot's file that nobody touched is the same inode as before."""
    if not stat.S_ISREG(above.st_mode) or _untouched(above, below):
        return False
    fds: list[int] = []
    try:
        fds = [open_item(item, _OPEN_FILE, tree) for tree in (upper, lower)]
        return min(fds) >= 0 and xattrs(fds[0]) != xattrs(fds[1])
    finally:
        for fd in fds:
            if fd >= 0:
                os.close(fd)


def _untouched(above: os.stat_result, below: os.stat_result) -> bool:
    return above.st_ino == below.st_ino and above.st_ctime_ns == below.st_ctime_ns


def _stat(item: str, lower: int) -> os.stat_result | None:
    if lower < 0:
        return None
    try:
        found = os.stat(item, dir_fd=lower, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return None if is_whiteout(found) else found


def _directory_differs(one: os.stat_result, other: os.stat_result) -> bool:
    return one.st_mode != other.st_mode or one.st_uid != other.st_uid or one.st_gid != other.st_gid


def _differs(one: os.stat_result, other: os.stat_result) -> bool:
    return (
        _directory_differs(one, other)
        or one.st_rdev != other.st_rdev
        or one.st_size != other.st_size
        or one.st_mtime_ns != other.st_mtime_ns
        # In a snapshot the same inode stands on both sides: then even a change that put size and time back is seen.
        or (one.st_ino == other.st_ino and one.st_ctime_ns != other.st_ctime_ns)
    )
