"""Namespaces that a child is born into: the parent joins them for the moment of the clone and comes back.

Joining before the clone means one fork whatever is joined: a pid namespace takes effect only for children (pid_namespaces(7)),
and for the others the child inherits what its parent is in. Only for single-threaded callers.
"""

import os

from argosy.linux import process
from argosy.linux.syscall import fail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Joined:
    """Context manager: inside it this process is in the namespaces of ``paths`` (type → nsfs path).

    With ``time_offsets`` (``{"monotonic": {"secs": …, "nanosecs": …}}``) its next child is born into a new time namespace.
    """

    def __init__(self, paths: "Mapping[str, str]", time_offsets: "Mapping[str, Mapping[str, int]] | None" = None) -> None:
        # With a user namespace the child comes from `clone_into_user_namespace`, which sees to the pid namespace too.
        left = ("user", "pid") if "user" in paths else ()
        self._paths = {kind: path for kind, path in paths.items() if kind not in left}
        self._time_offsets = time_offsets
        self._back: list[tuple[int, int]] = []

    def __enter__(self) -> None:
        opened: list[tuple[int, int]] = []
        try:
            for kind, path in self._paths.items():
                opened.append((os.open(path, os.O_RDONLY | os.O_CLOEXEC), process.NAMESPACES[kind]))
            for (fd, flag), kind in zip(opened, self._paths):
                self._remember(kind)
                process.setns(fd, flag)
            if self._time_offsets is not None:
                self._remember("time")
                process.unshare(process.NEWTIME)
                _write_offsets(self._time_offsets)
        except BaseException:
            self.__exit__()
            raise
        finally:
            for fd, _ in opened:
                os.close(fd)

    def _remember(self, kind: str) -> None:
        own = os.open(f"/proc/self/ns/{process.PROC_NAMES[kind]}", os.O_RDONLY | os.O_CLOEXEC)
        self._back.append((own, process.NAMESPACES[kind]))

    def __exit__(self, *exc: object) -> None:
        while self._back:
            fd, flag = self._back.pop()
            try:
                process.setns(fd, flag)
            finally:
                os.close(fd)


def _write_offsets(offsets: "Mapping[str, Mapping[str, int]]") -> None:
    """time_namespaces(7)."""
    if not offsets:
        return
    text = "".join(f"{clock} {value.get('secs', 0)} {value.get('nanosecs', 0)}\n" for clock, value in offsets.items())
    fd = os.open("/proc/self/timens_offsets", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode("ascii"))
    finally:
        os.close(fd)


def clone_into_user_namespace(paths: "Mapping[str, str]", flags: int, cgroup_fd: int) -> tuple[int, int]:
    """Clone a child whose new namespaces belong to the user namespace of ``paths``; (0, -1) in the child.

    This process cannot join and come back (it would lose its rights for good), so a process in between joins, makes the
    child as its sibling (CLONE_PARENT) and ends. A pid namespace is joined by that one too: born into it, it would tell the
    child's number there, which is another process's here.
    """
    userns = os.open(paths["user"], os.O_RDONLY | os.O_CLOEXEC)
    pidns = os.open(paths["pid"], os.O_RDONLY | os.O_CLOEXEC) if "pid" in paths else -1
    ours, theirs = os.pipe2(os.O_CLOEXEC)
    between, between_fd = process.clone3(0, cgroup_fd)
    if between == 0:
        try:
            os.close(ours)
            process.prctl(process.PR_SET_DUMPABLE, 0, name="dumpable")
            if pidns >= 0:
                process.setns(pidns, process.NEWPID)
            process.setns(userns, process.NEWUSER)
            pid = process.clone_sibling(flags)
            if pid == 0:
                for fd in (theirs, userns, *([pidns] if pidns >= 0 else [])):
                    os.close(fd)
                return 0, -1
            os.write(theirs, b"%d" % pid)
        except OSError as error:
            os.write(theirs, b"-%d" % (error.errno or 1))
        os._exit(0)
    for fd in (theirs, userns, *([pidns] if pidns >= 0 else [])):
        os.close(fd)
    answer = os.read(ours, 32)
    os.close(ours)
    os.waitpid(between, 0)
    os.close(between_fd)
    pid = int(answer or b"-5")
    if pid < 0:
        fail(-pid, "joining the user namespace", paths["user"])
    return pid, process.pidfd_open(pid)
