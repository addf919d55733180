"""OOM kills as the kernel's log tells them, for a cgroup that is gone before its own counters were read.

Documentation/ABI/testing/dev-kmsg: a read gives one record, ``priority,sequence,microseconds,flags;text``, EPIPE where records were
overwritten before they were read. mm/oom_kill.c, dump_oom_summary:
``oom-kill:constraint=…,nodemask=…,cpuset=…,mems_allowed=…,oom_memcg=/…,task_memcg=/…,task=…,pid=…,uid=…``.
The kernel writes ten of these in five seconds at most: in a storm of them one may be missing, none is ever invented.
"""

import os

LOG = "/dev/kmsg"
_RECORD = 8192


def follow(log: str = LOG) -> int:
    """Return an fd that tells what is logged from now on; -1 where the log may not be read."""
    try:
        fd = os.open(log, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        os.lseek(fd, 0, os.SEEK_END)
    except OSError:
        return -1
    return fd


def oom_kills(fd: int, path: str) -> int:
    """Return how many processes of the cgroup ``path``, or below it, have been killed since the last call."""
    kills = 0
    while True:
        try:
            record = os.read(fd, _RECORD)
        except BrokenPipeError:
            continue
        except OSError:
            return kills
        if not record:
            return kills
        kills += tells_of(record.decode("utf-8", "replace"), path)


def tells_of(record: str, path: str) -> bool:
    """Return whether a record says that a process of the cgroup was killed.

    The kernel names cgroups from the root of all; ``path`` may be seen from a namespace's.
    """
    text = record.partition(";")[2]
    if not text.startswith("oom-kill:"):
        return False
    _, found, rest = text.partition(",task_memcg=")
    # The first: a program's own name, which comes next, may be anything.
    cgroup = rest.partition(",task=")[0]
    return bool(found) and (cgroup.endswith(path) or f"{path}/" in cgroup)
