"""Begin early what takes long: the first process that joins a v1 cgroup waits for an RCU grace period, about 10 ms.

(`cgroup_threadgroup_rwsem`, kernel/cgroup/cgroup.c; whoever joins soon after does not wait.) A child joins the cgroup that it is in
already, which changes nothing, while this process loads its modules. Hosts with v2 alone have no joins, and nothing is done.
"""

import os

_ROOT = "/sys/fs/cgroup"
_pid = 0


def begin() -> None:
    """Let a child wait for it."""
    global _pid
    path = _joined()
    if not path:
        return
    _pid = os.fork()
    if _pid == 0:
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
            os.write(fd, b"0")
        finally:
            os._exit(0)


def finish() -> None:
    """Reap the child, before this process makes another."""
    global _pid
    if _pid:
        os.waitpid(_pid, 0)
        _pid = 0


def _joined() -> str:
    """Return the file by which this process has joined its cgroup of the first v1 controller; empty without any."""
    fd = os.open("/proc/self/cgroup", os.O_RDONLY | os.O_CLOEXEC)
    try:
        lines = os.read(fd, 65536).decode("utf-8", "surrogateescape").splitlines()
    finally:
        os.close(fd)
    for line in reversed(lines):
        _, controllers, path = line.split(":", 2)
        file = f"{_ROOT}/{controllers}{path.rstrip('/')}/cgroup.procs"
        if controllers and "=" not in controllers and os.access(file, os.W_OK):
            return file
    return ""
