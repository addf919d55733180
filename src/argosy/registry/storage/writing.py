"""Putting things in place so that a crash leaves either nothing or all of it."""

import errno
import os
import uuid
from collections.abc import Callable
from typing import TypeVar

from argosy.registry.storage.layout import Layout

T = TypeVar("T")
_TRIES = 5


def sync_directory(path: str) -> None:
    """Make new names in a directory last."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_directories(path: str) -> None:
    """Make a directory and those above it, lasting."""
    try:
        os.mkdir(path, 0o755)
    except FileExistsError:
        return
    except FileNotFoundError:
        parent = os.path.dirname(path)
        make_directories(parent)
        try:
            os.mkdir(path, 0o755)
        except FileExistsError:
            return
    sync_directory(os.path.dirname(path))


def in_directory(path: str, act: Callable[[], T]) -> T:
    """Do ``act``, which makes ``path``, in a directory that gc may remove while it is empty: made again as often as needed."""
    for _ in range(_TRIES):
        try:
            return act()
        except FileNotFoundError:
            make_directories(os.path.dirname(path))
    return act()


def write_file(layout: Layout, path: str, data: bytes) -> None:
    """Put a file in place, or replace one."""
    aside = f"{layout.tmp}/{uuid.uuid4().hex}"
    fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        try:
            _write_all(fd, data)
            os.fsync(fd)
        finally:
            os.close(fd)
        in_directory(path, lambda: os.rename(aside, path))
    except BaseException:
        remove(aside)
        raise
    sync_directory(os.path.dirname(path))


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def link(source: str, path: str) -> bool:
    """Give a file another name. False when the name exists. Raises FileNotFoundError when ``source`` is gone, OSError EMLINK."""
    for _ in range(_TRIES):
        try:
            os.link(source, path)
            return True
        except FileExistsError:
            return False
        except FileNotFoundError:
            if not os.path.exists(source):
                raise
            make_directories(os.path.dirname(path))
    raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), path)


def remove(path: str) -> bool:
    """Remove a file; False when there was none."""
    try:
        os.unlink(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def read_file(path: str) -> bytes | None:
    """Return a small file's content, None without the file."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        parts = []
        while part := os.read(fd, 1 << 16):
            parts.append(part)
            if len(part) < 1 << 16:
                break
        return parts[0] if len(parts) == 1 else b"".join(parts)
    finally:
        os.close(fd)
