"""Mounts by the new API (fsopen(2), open_tree(2), move_mount(2), mount_setattr(2)) and the old calls that are still needed.

Paths are bytes where init may be the caller: nothing is encoded after it entered a container.
"""

import ctypes
import os
import struct

from argosy.linux.syscall import AT_EMPTY_PATH, AT_FDCWD, AT_RECURSIVE, call, fail

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_MOVE, MS_REC = 32, 4096, 8192, 16384
MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE, MS_SHARED = 1 << 17, 1 << 18, 1 << 19, 1 << 20
MNT_DETACH = 2
UMOUNT_NOFOLLOW = 8

ATTR_RDONLY, ATTR_NOSUID, ATTR_NODEV, ATTR_NOEXEC = 1, 2, 4, 8
ATTR_ATIME_MASK, ATTR_RELATIME, ATTR_NOATIME, ATTR_STRICTATIME = 0x70, 0x00, 0x10, 0x20
ATTR_NODIRATIME = 0x80
ATTR_IDMAP = 0x00100000
ATTR_NOSYMFOLLOW = 0x00200000

_OPEN_TREE_CLONE = 1
_OPEN_TREE_CLOEXEC = os.O_CLOEXEC
_FSOPEN_CLOEXEC = 1
_FSMOUNT_CLOEXEC = 1
_SET_FLAG, _SET_STRING, _SET_FD, _CREATE = 0, 1, 5, 6
_MOVE_F_EMPTY, _MOVE_T_EMPTY = 0x4, 0x40


def fs_open(kind: bytes) -> int:
    """Return an fd of a file system context (fsopen)."""
    return call("fsopen", kind, _FSOPEN_CLOEXEC, path=kind)


def fs_set(context: int, key: bytes, value: bytes | None = None) -> None:
    """Set an option: a flag without value, else a string (under 256 bytes, a limit of the kernel: fs/fsopen.c)."""
    try:
        if value is None:
            call("fsconfig", context, _SET_FLAG, key, None, 0, path=key)
        else:
            call("fsconfig", context, _SET_STRING, key, value, 0, path=key + b"=" + value)
    except OSError as error:
        fail(error.errno or 0, "fsconfig: " + _reason(context), key if value is None else key + b"=" + value)


def fs_set_fd(context: int, key: bytes, fd: int) -> None:
    """Give a directory by fd (overlayfs layers since Linux 6.13)."""
    call("fsconfig", context, _SET_FD, key, None, fd, path=key)


def fs_mount(context: int, attributes: int = 0) -> int:
    """Create the superblock and return the fd of a detached mount of it; the context is closed in any case."""
    try:
        try:
            call("fsconfig", context, _CREATE, None, None, 0)
        except OSError as error:
            fail(error.errno or 0, "fsconfig create: " + _reason(context))
        return call("fsmount", context, _FSMOUNT_CLOEXEC, attributes)
    finally:
        os.close(context)


def _reason(context: int) -> str:
    """Return what the kernel wrote into the context's log, for the error's text."""
    lines: list[str] = []
    try:
        while len(lines) < 8:
            lines.append(os.read(context, 512).decode("ascii", "replace").strip())
    except OSError:
        pass
    return "; ".join(lines)


def new_filesystem(kind: bytes, options: "tuple[tuple[bytes, bytes | None], ...]" = (), attributes: int = 0, source: bytes = b"") -> int:
    """Return a detached mount of a new file system."""
    context = fs_open(kind)
    try:
        if source:
            fs_set(context, b"source", source)
        for key, value in options:
            fs_set(context, key, value)
    except BaseException:
        os.close(context)
        raise
    return fs_mount(context, attributes)


def clone_tree(fd: int, path: bytes = b"", *, recursive: bool = False) -> int:
    """Return a detached copy of the mount at ``path`` (a bind mount not yet attached); symlinks are followed."""
    flags = _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC
    if recursive:
        flags |= AT_RECURSIVE
    if not path:
        flags |= AT_EMPTY_PATH
    return call("open_tree", fd, path, flags, path=path)


def attach(mount: int, to: int, path: bytes = b"") -> None:
    """Attach a detached mount (or move an attached one) at ``to``, a directory or file fd, or ``path`` below it."""
    call("move_mount", mount, b"", to, path, _MOVE_F_EMPTY | (0 if path else _MOVE_T_EMPTY), path=path)


def set_attributes(
    fd: int, *, on: int = 0, off: int = 0, propagation: int = 0, userns: int = -1, recursive: bool = False, path: bytes = b""
) -> None:
    """mount_setattr(2) on the mount at ``path``, or of ``fd`` itself when it is empty."""
    flags = (0 if path else AT_EMPTY_PATH) | (AT_RECURSIVE if recursive else 0)
    if userns >= 0:
        on |= ATTR_IDMAP
    attr = struct.pack("=QQQQ", on, off, propagation, userns if userns >= 0 else 0)
    call("mount_setattr", fd, path, flags, ctypes.create_string_buffer(attr, len(attr)), len(attr), path=path)


def mount(source: bytes, target: bytes, kind: bytes = b"", flags: int = 0, data: bytes = b"") -> None:
    """mount(2)."""
    call("mount", source, target, kind or None, flags, data or None, path=target)


def set_propagation(target: bytes, flag: int) -> None:
    """Change the propagation of ``target`` (``MS_PRIVATE | MS_REC``, …)."""
    call("mount", None, target, None, flag, None, path=target)


def unmount(target: bytes, flags: int = MNT_DETACH) -> None:
    """umount2(2), lazily by default."""
    call("umount2", target, flags, path=target)


def pivot_root(new_root: bytes, put_old: bytes) -> None:
    call("pivot_root", new_root, put_old, path=new_root)


def bind(source: bytes, target: bytes, *, recursive: bool = False) -> None:
    """Bind-mount ``source`` on the existing ``target``."""
    fd = clone_tree(AT_FDCWD, source, recursive=recursive)
    try:
        call("move_mount", fd, b"", AT_FDCWD, target, _MOVE_F_EMPTY, path=target)
    finally:
        os.close(fd)
