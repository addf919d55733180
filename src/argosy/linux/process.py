"""Processes: clone3, pidfds, prctl, namespaces, keyrings, limits, and the clean slate before an execve.

clone3(2), pidfd_open(2), setns(2), prctl(2), keyctl(2), prlimit(2).
"""

import _signal  # type: ignore[import-not-found]  # signal itself imports enum
import ctypes
import os
import struct

from argosy.linux.syscall import address, call

NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
NEWUSER, NEWPID, NEWNET, NEWTIME = 0x10000000, 0x20000000, 0x40000000, 0x00000080
NAMESPACES = {
    "mount": NEWNS,
    "cgroup": NEWCGROUP,
    "uts": NEWUTS,
    "ipc": NEWIPC,
    "user": NEWUSER,
    "pid": NEWPID,
    "network": NEWNET,
    "time": NEWTIME,
}
"""OCI's names of the namespaces → clone flags."""
PROC_NAMES = {
    "mount": "mnt",
    "cgroup": "cgroup",
    "uts": "uts",
    "ipc": "ipc",
    "user": "user",
    "pid": "pid",
    "network": "net",
    "time": "time",
}
"""OCI's names → files in /proc/PID/ns."""

_CLONE_PIDFD = 0x00001000
_CLONE_PARENT = 0x00008000
_CLONE_INTO_CGROUP = 0x200000000
_SIGCHLD = 17

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_SET_NAME = 1, 4, 8, 15
PR_CAPBSET_READ, PR_CAPBSET_DROP = 23, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 36, 38, 47
PR_CAP_AMBIENT_RAISE, PR_CAP_AMBIENT_CLEAR_ALL = 2, 4

_KEYCTL_JOIN_SESSION_KEYRING, _KEYCTL_SETPERM, _KEYCTL_DESCRIBE = 1, 5, 6
_RLIM_INFINITY = (1 << 64) - 1


def clone3(flags: int, cgroup_fd: int = -1) -> tuple[int, int]:
    """Fork with new namespaces, and into a cgroup v2 directory if its fd is given; return (pid, pidfd), (0, -1) in the child.

    The caller must be single-threaded: the child continues in a copy of the interpreter, with no handler run.
    """
    pidfd = ctypes.c_int(-1)
    flags |= _CLONE_PIDFD
    if cgroup_fd >= 0:
        flags |= _CLONE_INTO_CGROUP
    args = struct.pack("=11Q", flags, address(pidfd), 0, 0, _SIGCHLD, 0, 0, 0, 0, 0, max(cgroup_fd, 0))
    buffer = ctypes.create_string_buffer(args, len(args))
    pid = call("clone3", buffer, len(args), hold_gil=True)
    return pid, pidfd.value if pid else -1


def clone_sibling(flags: int) -> int:
    """Fork a child of this process's *parent* (CLONE_PARENT), with new namespaces; return its pid, 0 in the child."""
    args = struct.pack("=11Q", flags | _CLONE_PARENT, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    return call("clone3", ctypes.create_string_buffer(args, len(args)), len(args), hold_gil=True)


def pidfd_open(pid: int) -> int:
    """Return a pidfd (always close-on-exec)."""
    return call("pidfd_open", pid, 0, path=str(pid))


def pidfd_send_signal(pidfd: int, number: int) -> None:
    """Raises ProcessLookupError's errno (ESRCH) when the process is gone."""
    call("pidfd_send_signal", pidfd, number, None, 0)


def pidfd_getfd(pidfd: int, fd: int) -> int:
    """Return a duplicate of another process's fd."""
    return call("pidfd_getfd", pidfd, fd, 0)


def setns(fd: int, flags: int) -> None:
    """Join a namespace (nsfs fd) or several of a process at once (pidfd, Linux 5.8)."""
    call("setns", fd, flags)


def unshare(flags: int) -> None:
    call("unshare", flags)


def prctl(option: int, *args: int, name: str = "") -> int:
    return call("prctl", option, *args, path=name or None)


def set_name(name: bytes) -> None:
    """Set the name that ``ps -o comm`` shows (15 bytes)."""
    prctl(PR_SET_NAME, address(ctypes.create_string_buffer(name[:15] + b"\0")))


class Title:
    """This process's command line as ``ps`` shows it, to be overwritten in place (proc(5), arg_start and arg_end).

    Find it (`Title()`) before entering a container, `write` it after; only as long as the original it can be.
    """

    __slots__ = ("_size", "_start")

    def __init__(self) -> None:
        with open("/proc/self/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        self._start = int(fields[45])
        self._size = int(fields[46]) - self._start

    def write(self, words: "list[bytes]") -> None:
        """Show these words; what does not fit is cut."""
        if self._size <= 1:
            return
        text = b"\0".join(words)[: self._size - 1]
        ctypes.memmove(self._start, text.ljust(self._size, b"\0"), self._size)


def join_session_keyring(name: bytes) -> int:
    """Leave the session keyring for a new one of that name and return its serial."""
    return call("keyctl", _KEYCTL_JOIN_SESSION_KEYRING, name, 0, 0, 0, path=name)


def describe_key(serial: int) -> bytes:
    """Return ``type;uid;gid;perm;description``."""
    buffer = ctypes.create_string_buffer(256)
    call("keyctl", _KEYCTL_DESCRIBE, serial, buffer, 256, 0)
    return buffer.value


def set_key_permissions(serial: int, permissions: int) -> None:
    call("keyctl", _KEYCTL_SETPERM, serial, permissions, 0, 0)


def set_hostname(name: bytes) -> None:
    call("sethostname", name, len(name), path=name)


def set_domainname(name: bytes) -> None:
    call("setdomainname", name, len(name), path=name)


def get_limit(resource: int, pid: int = 0) -> tuple[int, int]:
    """Return (soft, hard); 2**64-1 is infinity."""
    buffer = ctypes.create_string_buffer(16)
    call("prlimit64", pid, resource, None, buffer)
    soft, hard = struct.unpack("=QQ", buffer.raw)
    return soft, hard


def set_limit(resource: int, soft: int, hard: int, pid: int = 0) -> bool:
    """Set a limit; where raising it is refused (no CAP_SYS_RESOURCE) set what is allowed and return False."""
    soft, hard = soft & _RLIM_INFINITY, hard & _RLIM_INFINITY
    try:
        _set_limit(resource, soft, hard, pid)
    except OSError as error:
        if error.errno != 1:
            raise
        allowed = get_limit(resource, pid)[1]
        hard = min(hard, allowed)
        _set_limit(resource, min(soft, hard), hard, pid)
        return False
    return True


def _set_limit(resource: int, soft: int, hard: int, pid: int) -> None:
    value = struct.pack("=QQ", soft, hard)
    call("prlimit64", pid, resource, ctypes.create_string_buffer(value, 16), None, path=str(resource))


def close_range(first: int, last: int = 0xFFFFFFFF) -> None:
    """Close all fds from ``first`` on."""
    if first <= last:
        call("close_range", first, last, 0)


def close_all_but(keep: "list[int]") -> None:
    """Close every fd of this process that is not in ``keep``."""
    first = 0
    for fd in sorted(set(keep)):
        close_range(first, fd - 1) if fd > first else None
        first = fd + 1
    close_range(first)


def default_signals() -> None:
    """All signals back to their defaults and none blocked: Python ignores SIGPIPE and SIGXFSZ, and execve keeps that."""
    for number in range(1, 65):
        # SIGKILL and SIGSTOP cannot be set; 32 and 33 belong to the C library.
        if number not in (9, 19, 32, 33):
            _signal.signal(number, _signal.SIG_DFL)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, [])


def default_scheduling() -> None:
    """Niceness 0 and all CPUs, as far as allowed: what the launcher was started with must not leak into containers."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, 0)
    except OSError:
        pass
    try:
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    except OSError:
        pass


def set_scheduling(policy: int, flags: int, nice: int, priority: int, times: tuple[int, int, int]) -> None:
    """sched_setattr(2) for this process."""
    attr = struct.pack("=IIQiIQQQ", 48, policy, flags, nice, priority, *times)
    call("sched_setattr", 0, ctypes.create_string_buffer(attr, len(attr)), 0)


def set_io_priority(io_class: int, level: int) -> None:
    """ioprio_set(2) for this process."""
    call("ioprio_set", 1, 0, (io_class << 13) | level)


def set_personality(persona: int) -> None:
    call("personality", persona)


def sync_filesystem(fd: int) -> None:
    """syncfs(2): write back the file system that holds ``fd``."""
    call("syncfs", fd)
