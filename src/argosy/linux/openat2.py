"""Paths of a container, resolved by the kernel with the container's root as their root (openat2(2))."""

import ctypes
import os
import stat
import struct

from argosy.linux.syscall import AT_EMPTY_PATH as AT_EMPTY_PATH
from argosy.linux.syscall import call, fail

NO_XDEV, NO_MAGICLINKS, NO_SYMLINKS, BENEATH, IN_ROOT = 0x01, 0x02, 0x04, 0x08, 0x10
O_PATH = os.O_PATH
_ENOENT, _EAGAIN, _ENOTDIR, _EEXIST = 2, 11, 20, 17


def openat2(root: int, path: bytes, flags: int, *, mode: int = 0, resolve: int = IN_ROOT | NO_MAGICLINKS) -> int:
    """Return an fd (always O_CLOEXEC); ``..`` and absolute symlinks stay inside ``root``.

    EAGAIN (a rename raced with ``..``) is tried again, as the manual page asks.
    """
    how = struct.pack("=QQQ", flags | os.O_CLOEXEC, mode, resolve)
    buffer = ctypes.create_string_buffer(how, len(how))
    for attempt in range(64):
        try:
            return call("openat2", root, path, buffer, len(how), path=path)
        except OSError as error:
            if error.errno != _EAGAIN or attempt == 63:
                raise
    raise AssertionError


def open_root(path: bytes) -> int:
    """Return an O_PATH fd of a directory of the host."""
    return os.open(path, O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)


def resolve(root: int, path: bytes) -> int:
    """Return an O_PATH fd of what ``path`` is inside ``root``, links followed."""
    return openat2(root, path.lstrip(b"/") or b".", O_PATH)


def filesystem_type(fd: int) -> int:
    """Return ``f_type`` of the file system that holds ``fd`` (statfs(2)): the check that a path is what it claims to be."""
    buffer = ctypes.create_string_buffer(256)
    call("fstatfs", fd, buffer)
    (kind,) = struct.unpack_from("=q", buffer.raw)
    return int(kind)


PROC_MAGIC, DEVPTS_MAGIC, CGROUP2_MAGIC = 0x9FA0, 0x1CD1, 0x63677270


def read_file(root: int, path: bytes, limit: int = 1 << 22) -> bytes:
    """Return the content of a regular file inside ``root``; raises OSError, EINVAL when it is no regular file."""
    # O_NONBLOCK: an image may put a FIFO there, whose open would wait for ever.
    fd = openat2(root, path.lstrip(b"/"), os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            fail(22, "open", path)
        parts = []
        while limit > 0 and (part := os.read(fd, min(limit, 1 << 16))):
            parts.append(part)
            limit -= len(part)
        return b"".join(parts)
    finally:
        os.close(fd)


def make_directories(root: int, path: bytes, mode: int = 0o755) -> int:
    """Create ``path`` with its parents inside ``root`` and return an O_PATH fd of it.

    Each step is resolved afresh inside the root, so a symlink on the way leads to its target *inside*; a dangling
    one is an error (ENOENT), as it is for mkdir -p.
    """
    done = b""
    fd = openat2(root, b".", O_PATH | os.O_DIRECTORY)
    for name in _parts(path):
        done = done + b"/" + name if done else name
        try:
            following = openat2(root, done, O_PATH | os.O_DIRECTORY)
        except OSError as error:
            if error.errno != _ENOENT:
                os.close(fd)
                raise
            try:
                following = _make_one(fd, root, name, done, mode)
            finally:
                os.close(fd)
        else:
            os.close(fd)
        fd = following
    return fd


def _make_one(parent: int, root: int, name: bytes, done: bytes, mode: int) -> int:
    if name == b"..":
        fail(_ENOENT, "mkdir", done)
    try:
        os.mkdir(name, mode, dir_fd=parent)
    except OSError as error:
        if error.errno != _EEXIST:
            raise
    return openat2(root, done, O_PATH | os.O_DIRECTORY)


def make_file(root: int, path: bytes, mode: int = 0o644) -> int:
    """Create an empty regular file (and its parents) unless something is there; return an O_PATH fd of what is there."""
    parts = _parts(path)
    try:
        return resolve(root, path)
    except OSError as error:
        if error.errno != _ENOENT or not parts:
            raise
    parent = make_directories(root, b"/".join(parts[:-1]))
    try:
        try:
            os.close(os.open(parts[-1], os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=parent))
        except FileExistsError:
            pass
        return resolve(root, path)
    finally:
        os.close(parent)


def _parts(path: bytes) -> list[bytes]:
    return [part for part in path.split(b"/") if part and part != b"."]


class opened:  # noqa: N801 (used like a function)
    """Hold directories open so that ``/proc/self/fd/N`` is a short name for a long path while the block runs."""

    def __init__(self) -> None:
        self._fds: list[int] = []

    def __enter__(self) -> "opened":
        return self

    def path(self, path: bytes) -> bytes:
        if not path:
            return path
        fd = open_root(path)
        self._fds.append(fd)
        return b"/proc/self/fd/%d" % fd

    def __exit__(self, *exc: object) -> None:
        for fd in self._fds:
            os.close(fd)
