"""Paths inside a container as ``docker cp`` understands them; the process is confined to the container's root."""

from __future__ import annotations

import os
import stat

from argosy.base.errors import InvalidParameterError, NotFoundError
from argosy.storage.archive.entry import show
from argosy.storage.archive.idmap import IdMap
from argosy.storage.archive.pack import Packer
from argosy.storage.archive.sink import Sink

_OPEN_DIR = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_PARENT = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC

_GO_TYPES = (
    (stat.S_ISDIR, 1 << 31),
    (stat.S_ISLNK, 1 << 27),
    (stat.S_ISBLK, 1 << 26),
    (stat.S_ISCHR, 1 << 26 | 1 << 21),
    (stat.S_ISFIFO, 1 << 25),
    (stat.S_ISSOCK, 1 << 24),
)


def absolute(path: bytes) -> bytes:
    """Return ``/``-anchored and cleaned, a trailing ``/`` or ``/.`` kept: they ask for what a symlink points to."""
    cleaned = os.path.normpath(b"/" + path)
    while cleaned.startswith(b"//"):
        cleaned = cleaned[1:]
    if cleaned != b"/" and path.endswith((b"/.", b"/")):
        cleaned += b"/." if path.endswith(b"/.") else b"/"
    return cleaned


def go_mode(mode: int) -> int:
    """Return a mode as Go's os.FileMode writes it, which is what the API shows (io/fs FileMode constants)."""
    value = mode & 0o777
    for is_type, bit in _GO_TYPES:
        if is_type(mode):
            value |= bit
    for unix, bit in ((stat.S_ISUID, 1 << 23), (stat.S_ISGID, 1 << 22), (stat.S_ISVTX, 1 << 20)):
        if mode & unix:
            value |= bit
    return value


def describe(path: bytes) -> dict[str, object]:
    """Return name, size, mode (Go's), mtime_ns and linkTarget. Raises NotFoundError ``Could not find the file …``."""
    path = absolute(path)
    found = _lstat(path)
    target = ""
    if stat.S_ISLNK(found.st_mode):
        target = show(os.path.realpath(path))
    return {
        "name": show(base(path)),
        "size": found.st_size,
        "mode": go_mode(found.st_mode),
        "mtime_ns": found.st_mtime_ns,
        "linkTarget": target,
    }


def base(path: bytes) -> bytes:
    """Return Go's filepath.Base: the last element, ``/`` for the root."""
    return path.rstrip(b"/").rpartition(b"/")[2] or b"/"


_RUNTIMES = ("dev", "proc", "sys")
"""Mounted by the runtime in a running container: no part of its files."""


def _root_item(packer: Packer, root: int, item: str) -> None:
    name = b"/" + os.fsencode(item)
    if item in _RUNTIMES:
        found = os.stat(item, dir_fd=root, follow_symlinks=False)
        if stat.S_ISDIR(found.st_mode) and found.st_dev != os.fstat(root).st_dev:
            fd = os.open(item, _OPEN_DIR, dir_fd=root)
            try:
                packer.directory(fd, name, found)
            finally:
                os.close(fd)
            return
    packer.item(root, item, name)


def pack(path: bytes, sink: Sink, ids: IdMap | None = None) -> None:
    """Write ``path`` as an archive whose members begin with its last element. Raises NotFoundError."""
    path = absolute(path)
    found = _lstat(path)
    packer = Packer(sink, ids=ids)
    name = base(path)
    if stat.S_ISDIR(found.st_mode):
        fd = os.open(path, _OPEN_DIR)
        try:
            if name == b"/":
                # The root is "/", its members "/bin": so Docker writes it.
                packer.directory(fd, b"", os.fstat(fd))
                for item in sorted(os.listdir(fd)):
                    _root_item(packer, fd, item)
            else:
                packer.directory(fd, name, os.fstat(fd))
                packer.tree(fd, name)
        finally:
            os.close(fd)
    else:
        parent = os.open(os.path.dirname(path), _PARENT)
        try:
            packer.item(parent, os.fsdecode(name), name)
        finally:
            os.close(parent)
    packer.end()


_SMALL = 1 << 22


def read_small(path: bytes) -> bytes:
    """Return a plain file's content; empty if it is missing, something else, or larger than 4 MiB."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        found = os.fstat(fd)
        return os.read(fd, found.st_size) if stat.S_ISREG(found.st_mode) and found.st_size <= _SMALL else b""
    finally:
        os.close(fd)


def export(sink: Sink) -> None:
    """Write the whole root, without a member for the root itself."""
    fd = os.open("/", _OPEN_DIR)
    try:
        packer = Packer(sink)
        packer.tree(fd, b"")
        packer.end()
    finally:
        os.close(fd)


def _lstat(path: bytes) -> os.stat_result:
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError(f"Could not find the file {show(path)}") from error
    except OSError as error:
        raise InvalidParameterError(f"lstat {show(path)}: {error.strerror}") from error
