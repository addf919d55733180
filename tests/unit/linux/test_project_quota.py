"""What the kernel is asked, and what its answers mean; that ext4 and xfs do it is shown in the virtual machine."""

import ctypes
import errno
import os
import struct
from collections.abc import Callable

import pytest

from argosy.linux import project_quota
from argosy.linux.fake import recording

# Q_XGETQUOTA, Q_XSETQLIM and Q_XGETQSTAT of kind 2 (include/uapi/linux/dqblk_xfs.h).
GET, SET, STATE = 0x580302, 0x580402, 0x580502


def answering(data: bytes) -> Callable[[tuple[object, ...]], int]:
    """Return a kernel's answer that writes ``data`` where it was asked to."""

    def write(args: tuple[object, ...]) -> int:
        address = args[3]
        assert isinstance(address, int)
        ctypes.memmove(address, data, len(data))
        return 0

    return write


@pytest.mark.parametrize(("flags", "expected"), [(0x30, True), (0x10, False), (0x0F, False), (0, False)])
def test_counting_alone_is_not_enforcing(flags: int, expected: bool) -> None:
    with recording() as kernel:
        kernel.answers["quotactl_fd"] = answering(struct.pack("=bxH", 1, flags))
        assert project_quota.enforced(7) is expected
    assert kernel.calls[0][1][:2] == (7, STATE)


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.ESRCH, errno.EINVAL, errno.EPERM])
def test_a_file_system_that_knows_no_quotas_enforces_none(code: int) -> None:
    with recording() as kernel:
        kernel.errors["quotactl_fd"] = code
        assert not project_quota.enforced(7)


def test_a_limit_is_told_in_blocks_and_rounded_up() -> None:
    written: list[bytes] = []

    def keep(args: tuple[object, ...]) -> int:
        assert args[:3] == (7, SET, 1001) and isinstance(args[3], int)
        written.append(ctypes.string_at(args[3], 112))
        return 0

    with recording() as kernel:
        kernel.answers["quotactl_fd"] = keep
        project_quota.set_limit(7, 1001, 1025)
    assert struct.unpack_from("=bbHIQQ", written[0]) == (1, 2, 0b1100, 1001, 3, 3)


def test_what_is_used_comes_in_bytes() -> None:
    with recording() as kernel:
        kernel.answers["quotactl_fd"] = answering(struct.pack("=bbHI6Q", 1, 2, 0, 1001, 2048, 2048, 0, 0, 10, 3))
        assert project_quota.quota(7, 1001) == (10 * 512, 1 << 20)


def test_a_number_that_nobody_used_has_no_quota_and_other_failures_are_told() -> None:
    with recording() as kernel:
        kernel.errors["quotactl_fd"] = errno.ENOENT
        assert project_quota.quota(7, 5) == (0, 0)
        kernel.errors["quotactl_fd"] = errno.ESRCH
        with pytest.raises(OSError, match="no such process"):
            project_quota.quota(7, 5)


def test_a_file_system_without_projects_refuses_one() -> None:
    fd = os.open("/proc/self", os.O_RDONLY | os.O_DIRECTORY)
    try:
        with pytest.raises(OSError):
            project_quota.assign(fd, 5)
    finally:
        os.close(fd)
