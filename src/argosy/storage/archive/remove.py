"""Removing trees of any depth, and counting what a tree holds, by directory fds."""

from __future__ import annotations

import os
import stat

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
    fd = os.open(name, _OPEN_DIR, dir_fd=parent)
    try:
        for child in os.listdir(fd):
            moved = _item(root, fd, child, depth + 1, moved)
    finally:
        os.close(fd)
    os.rmdir(name, dir_fd=parent)
    return moved


def usage(root: int) -> int:
    """Return the sizes of all files below ``root``, each inode once (moby ``directory.Size``)."""
    seen: set[int] = set()
    return _usage(root, seen, 0)


def _usage(fd: int, seen: set[int], depth: int) -> int:
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
            elif found.st_ino not in seen:
                seen.add(found.st_ino)
                total += found.st_size
    return total


def _below(parent: int, name: str, seen: set[int], depth: int) -> int:
    try:
        fd = os.open(name, _OPEN_DIR, dir_fd=parent)
    except OSError:
        return 0
    try:
        return _usage(fd, seen, depth + 1)
    finally:
        os.close(fd)
