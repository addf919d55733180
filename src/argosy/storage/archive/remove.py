"""Removing trees of any depth, and counting what a tree holds, by directory fds."""

from __future__ import annotations

import os
import stat

from argosy.linux import btrfs

_OPEN_DIR = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_DEEP = 200


def remove(root: int) -> None:
    """Remove everything in the directory ``root``.

    A program may nest directories deeper than paths and open files reach; what lies too deep is moved up first.
    """
    moved = 0
    while names := os.listdir(root):
        for name in names:
            moved = _item(root, root, name, 0, moved)


def _item(root: int, parent: int, name: str, depth: int, moved: int) -> int:
    try:
        os.unlink(name, dir_fd=parent)
        return moved
    except IsADirectoryError:
        pass
    except FileNotFoundError:
        return moved
    if depth > _DEEP:
        os.rename(name, f"deep-{os.getpid()}-{moved}", src_dir_fd=parent, dst_dir_fd=root)
        return moved + 1
    if _subvolume(parent, name):
        return moved
    fd = os.open(name, _OPEN_DIR, dir_fd=parent)
    try:
        for child in os.listdir(fd):
            moved = _item(root, fd, child, depth + 1, moved)
    finally:
        os.close(fd)
    os.rmdir(name, dir_fd=parent)
    return moved


def _subvolume(parent: int, name: str) -> bool:
    """Delete ``name`` at once if it is a subvolume of btrfs without others in it. Else it is emptied as any directory (rmdir(2) of
    an empty subvolume works since Linux 4.18)."""
    try:
        if os.stat(name, dir_fd=parent, follow_symlinks=False).st_ino != btrfs.ROOT_INODE:
            return False
        return btrfs.delete(parent, os.fsencode(name))
    except OSError:
        return False


def usage(root: int) -> int:
    """Return the sizes of all files below ``root``, each inode once (moby ``directory.Size``)."""
    seen: set[tuple[int, int]] = set()
    return _usage(root, seen, 0)


def _usage(fd: int, seen: set[tuple[int, int]], depth: int) -> int:
    total = 0
    with os.scandir(fd) as listing:
        for item in listing:
            try:
                found = item.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if stat.S_ISDIR(found.st_mode):
                if depth < _DEEP:
                    total += _below(fd, item.name, seen, depth)
            elif found.st_nlink == 1:
                total += found.st_size
            elif (key := (found.st_dev, found.st_ino)) not in seen:
                seen.add(key)
                total += found.st_size
    return total


def _below(parent: int, name: str, seen: set[tuple[int, int]], depth: int) -> int:
    try:
        fd = os.open(name, _OPEN_DIR, dir_fd=parent)
    except OSError:
        return 0
    try:
        return _usage(fd, seen, depth + 1)
    finally:
        os.close(fd)
