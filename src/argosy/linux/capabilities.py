"""Capability sets: names, numbers, and how a process takes exactly the ones it was given (capabilities(7))."""

import ctypes
import struct

from argosy.linux.process import (
    PR_CAP_AMBIENT,
    PR_CAP_AMBIENT_CLEAR_ALL,
    PR_CAP_AMBIENT_RAISE,
    PR_CAPBSET_DROP,
    PR_CAPBSET_READ,
    prctl,
)
from argosy.linux.syscall import call

NAMES = (
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
)
"""In the order of their numbers (include/uapi/linux/capability.h)."""
NUMBERS = {name: number for number, name in enumerate(NAMES)}
_VERSION_3 = 0x20080522


def last_capability() -> int:
    """Return the highest number that this kernel knows."""
    with open("/proc/sys/kernel/cap_last_cap") as file:
        return int(file.read())


def to_mask(names: "list[str]") -> int:
    """Return the bit mask of capability names; raises KeyError on an unknown one."""
    mask = 0
    for name in names:
        mask |= 1 << NUMBERS[name]
    return mask


def from_mask(mask: int) -> "list[str]":
    return [name for number, name in enumerate(NAMES) if mask >> number & 1]


def set_sets(effective: int, permitted: int, inheritable: int) -> None:
    """capset(2) on this process."""
    header = struct.pack("=Ii", _VERSION_3, 0)
    low = 0xFFFFFFFF
    data = struct.pack("=6I", effective & low, permitted & low, inheritable & low, effective >> 32, permitted >> 32, inheritable >> 32)
    call("capset", ctypes.create_string_buffer(header, len(header)), ctypes.create_string_buffer(data, len(data)))


def get_sets() -> tuple[int, int, int]:
    """Return (effective, permitted, inheritable) of this process."""
    header = struct.pack("=Ii", _VERSION_3, 0)
    data = ctypes.create_string_buffer(24)
    call("capget", ctypes.create_string_buffer(header, len(header)), data)
    e0, p0, i0, e1, p1, i1 = struct.unpack("=6I", data.raw)
    return e0 | e1 << 32, p0 | p1 << 32, i0 | i1 << 32


def limit_bounding(mask: int, last: int) -> None:
    """Drop from the bounding set everything outside ``mask``."""
    for number in range(last + 1):
        if not mask >> number & 1:
            prctl(PR_CAPBSET_DROP, number, name="capbset")


def bounding() -> int:
    """Return the bounding set of this process."""
    mask = 0
    for number in range(len(NAMES)):
        try:
            mask |= prctl(PR_CAPBSET_READ, number) << number
        except OSError:
            break
    return mask


def available() -> tuple[str, ...]:
    """Return the names that this process may give to others: a daemon in a container itself has not all that the kernel knows."""
    return tuple(from_mask(get_sets()[1] & bounding()))


def set_ambient(mask: int) -> None:
    """Make the ambient set exactly ``mask`` (must be permitted and inheritable)."""
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0, name="ambient")
    for number in range(len(NAMES)):
        if mask >> number & 1:
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0, name="ambient")
