"""btrfs subvolumes: made, snapshotted and deleted by ioctl (include/uapi/linux/btrfs.h, ioctl numbers of magic 0x94).

Light on purpose: workers delete subvolumes, and the launcher loads their code.
"""

import errno
import fcntl
import os
import struct

ROOT_INODE = 256
"""The inode number of every subvolume's root directory (BTRFS_FIRST_FREE_OBJECTID), and of no other directory of btrfs."""
_ARGS = 4096
_NAME_V1, _NAME_V2 = 4087, 4039
_READ_ONLY = 1 << 1


def _code(direction: int, number: int, size: int) -> int:
    return direction << 30 | size << 16 | 0x94 << 8 | number


_SNAP_DESTROY = _code(1, 15, _ARGS)
_SNAP_CREATE_V2 = _code(1, 23, _ARGS)
_SUBVOL_CREATE_V2 = _code(1, 24, _ARGS)
_SUBVOL_GETFLAGS = _code(2, 25, 8)
_SUBVOL_SETFLAGS = _code(1, 26, 8)


def create(parent: int, name: bytes) -> None:
    """Make the empty subvolume ``name`` in the directory fd ``parent``, owned by the caller. Raises OSError."""
    _ioctl(parent, _SUBVOL_CREATE_V2, struct.pack("=qQQ32x", 0, 0, 0), name, _NAME_V2)


def snapshot(source: int, parent: int, name: bytes) -> None:
    """Make ``name`` in ``parent`` a writable snapshot of the subvolume whose root is ``source``. Raises OSError.

    What programs wrote before is in it; subvolumes nested in ``source`` are empty directories there.
    """
    _ioctl(parent, _SNAP_CREATE_V2, struct.pack("=qQQ32x", source, 0, 0), name, _NAME_V2)


def delete(parent: int, name: bytes) -> bool:
    """Delete the subvolume ``name`` of ``parent``, a read-only one too. False: it has others nested in it, delete those first.

    The space comes back in the background. Raises OSError, also for what is no subvolume.
    """
    try:
        _ioctl(parent, _SNAP_DESTROY, bytes(8), name, _NAME_V1)
    except OSError as error:
        if error.errno != errno.ENOTEMPTY:
            raise
        _make_writable(parent, name)
        return False
    return True


def _make_writable(parent: int, name: bytes) -> None:
    fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        flags = _flags(fd)
        if flags & _READ_ONLY:
            fcntl.ioctl(fd, _SUBVOL_SETFLAGS, struct.pack("=Q", flags & ~_READ_ONLY))
    finally:
        os.close(fd)


def _flags(fd: int) -> int:
    data = bytearray(8)
    fcntl.ioctl(fd, _SUBVOL_GETFLAGS, data)
    return int(struct.unpack("=Q", data)[0])


def _ioctl(fd: int, code: int, head: bytes, name: bytes, longest: int) -> None:
    """The argument is a structure of one page that ends in the name; longer names than its rest are refused here."""
    if len(name) > longest:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), name)
    argument = bytearray(_ARGS)
    argument[: len(head)] = head
    argument[len(head) : len(head) + len(name)] = name
    try:
        fcntl.ioctl(fd, code, argument)
    except OSError as error:
        error.filename = name
        raise
