"""Project quotas: how many bytes a directory tree may hold, on ext4 and xfs (quotactl(2), xfs_quota(8) "Directory tree quota").

Each file carries the number of its project; what is made in a directory with the inherit flag gets the directory's. Limits and counts are
the file system's, by number; number 0 is everything else. The calls of xfs serve ext4, too (fs/quota/quota.c). A process with
CAP_SYS_RESOURCE passes ext4's limits, as a privileged container has it (fs/quota/dquot.c: ignore_hardlimit). All raise OSError.
"""

import ctypes
import errno
import fcntl
import struct
from typing import NamedTuple

from argosy.linux import syscall

_GET_ATTRIBUTES = 2 << 30 | 28 << 16 | ord("X") << 8 | 31
_SET_ATTRIBUTES = 1 << 30 | 28 << 16 | ord("X") << 8 | 32
# struct fsxattr (include/uapi/linux/fs.h): flags, extent size, extents, project, extent size for copies, padding
_ATTRIBUTES = struct.Struct("=5I8x")
_INHERIT = 0x200

_PROJECT = 2
_BLOCK = 512
# Q_XGETQUOTA, Q_XSETQLIM, Q_XGETQSTAT (include/uapi/linux/dqblk_xfs.h), as QCMD of the project kind
_GET, _SET, _STATE = ((ord("X") << 8 | number) << 8 | _PROJECT for number in (3, 4, 5))
# struct fs_disk_quota: version, flags, which fields, id, hard and soft limit of blocks and of inodes, blocks and inodes used, …
_QUOTA = struct.Struct("=bbHI6Q56x")
_VERSION, _KIND_PROJECT = 1, 2
_BLOCKS_SOFT, _BLOCKS_HARD = 1 << 2, 1 << 3
_ENFORCED = 1 << 5
_STATE_BYTES = 128


class Quota(NamedTuple):
    """Bytes; ``limit`` 0: none."""

    used: int
    limit: int


def enforced(fd: int) -> bool:
    """Return whether the file system of ``fd`` keeps trees within their projects' limits (mounted with ``prjquota``)."""
    state = bytearray(_STATE_BYTES)
    try:
        _quotactl(fd, _STATE, 0, state)
    except OSError:
        # Which error says so differs: ENOSYS, ESRCH, EINVAL, EOPNOTSUPP.
        return False
    (flags,) = struct.unpack_from("=H", state, 2)
    return bool(flags & _ENFORCED)


def project_of(fd: int) -> int:
    """Return the number that a file or directory carries."""
    return _attributes(fd)[3]


def assign(directory: int, project: int) -> None:
    """Give a directory (an fd, not O_PATH) its project, and to all that is made in it from now on. What it holds already is not changed."""
    flags, extent, extents, _, copies = _attributes(directory)
    changed = _ATTRIBUTES.pack(flags | _INHERIT, extent, extents, project, copies)
    fcntl.ioctl(directory, _SET_ATTRIBUTES, changed)


def set_limit(fd: int, project: int, size: int) -> None:
    """Let the project's files on the file system of ``fd`` hold ``size`` bytes, rounded up to a block; 0: as many as they will."""
    blocks = -(-size // _BLOCK)
    fields = _BLOCKS_SOFT | _BLOCKS_HARD
    _quotactl(fd, _SET, project, bytearray(_QUOTA.pack(_VERSION, _KIND_PROJECT, fields, project, blocks, blocks, 0, 0, 0, 0)))


def quota(fd: int, project: int) -> Quota:
    """Return what the project uses and may use; zeros for a number that nobody has ever used."""
    found = bytearray(_QUOTA.size)
    try:
        _quotactl(fd, _GET, project, found)
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
        return Quota(0, 0)
    _, _, _, _, hard, _, _, _, used, _ = _QUOTA.unpack(found)
    return Quota(used * _BLOCK, hard * _BLOCK)


def _attributes(fd: int) -> tuple[int, int, int, int, int]:
    data = bytearray(_ATTRIBUTES.size)
    fcntl.ioctl(fd, _GET_ATTRIBUTES, data)
    flags, extent, extents, project, copies = _ATTRIBUTES.unpack(data)
    return flags, extent, extents, project, copies


def _quotactl(fd: int, command: int, project: int, data: bytearray) -> None:
    buffer = (ctypes.c_char * len(data)).from_buffer(data)
    syscall.call("quotactl_fd", fd, command, project, syscall.address(buffer))
