"""What all kinds of cgroup share: the interface, killing, removing."""

import os
import time

from argosy.linux import process
from argosy.runtime.cgroups import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Resources = Mapping[str, Any]
    """OCI ``linux.resources``."""
else:
    Resources = dict

_KILL_ROUNDS = 50


class Group:
    """One cgroup; a value until `create`. Methods raise OSError naming the file, unless they say otherwise."""

    def __init__(
        self,
        *,
        path: str,
        mounts: "Mapping[str, str]",
        unified: str,
        resources: "Resources",
    ) -> None:
        self.path = path
        """From the root of the hierarchy."""
        self.mounts = mounts
        self.unified = unified
        self.resources = resources

    def create(self) -> list[str]:
        """Make the cgroup with its limits and return warnings; what exists and holds no process is taken over.

        Raises OSError; then `remove` has been called.
        """
        raise NotImplementedError

    clones_into = False
    """Whether a child is born into it (`clone_fd`) instead of moving there."""

    def clone_fd(self) -> int:
        """Return an fd for CLONE_INTO_CGROUP (the caller closes it), or -1 where processes go in by `doors`."""
        return -1

    def admit(self, pid: int) -> None:
        """Do what must be done from outside before the process goes in by its `doors`."""

    def doors(self) -> "list[int]":
        """Return files (the caller closes them) into which a process of one thread writes ``0`` to move itself in; none where
        it is born into the group, or `admit` has moved it.

        Not ``cgroup.procs`` from outside: moving a process that may have threads waits for all CPUs to pass through an RCU grace
        period, 6–16 ms; a single thread that moves itself does not (kernel/cgroup/cgroup.c, cgroup_procs_write_start).
        """
        return []

    def directory(self) -> str:
        """Return the directory whose processes are the group's."""
        raise NotImplementedError

    def processes(self) -> list[int]:
        """Return the pids of all processes in it and below, as this process sees them; empty when it is gone."""
        return files.all_pids(self.directory())

    def kill(self, signal: int = 9) -> None:
        """Signal every process; with SIGKILL again until none is left that could have forked."""
        for _ in range(_KILL_ROUNDS if signal == 9 else 1):
            pids = self.processes()
            if not pids:
                return
            for pid in pids:
                signal_process(pid, signal)

    def freeze(self) -> None:
        """Return when all processes stand still."""
        raise NotImplementedError

    def thaw(self) -> None:
        raise NotImplementedError

    def frozen(self) -> bool:
        raise NotImplementedError

    def update(self, resources: "Resources") -> list[str]:
        """Change limits; keys that are absent stay. Returns warnings."""
        raise NotImplementedError

    def sample(self) -> "dict[str, Any]":
        """Return counters in the Engine API's shape; what the kernel does not offer is absent or zero."""
        raise NotImplementedError

    def oom_fd(self) -> int:
        """Return an fd that becomes readable when the OOM killer was here or the group went; -1: cannot be told."""
        raise NotImplementedError

    def oom_log(self) -> int:
        """Return an fd for `oom_kills` where somebody else may remove the group before they are counted, else -1."""
        return -1

    def oom_kills(self, log: int = -1) -> int:
        """Return how many processes the OOM killer took here; ``log`` (`oom_log`) tells of them when the group is gone."""
        raise NotImplementedError

    def sub(self, name: str) -> "Group":
        """Return the cgroup of one exec below this one, not yet made."""
        raise NotImplementedError

    def exists(self) -> bool:
        return os.path.isdir(self.directory())

    def directories(self) -> "Sequence[str]":
        """Return all directories that make up the group."""
        return [self.directory()]

    def remove(self) -> None:
        """Remove it with what is below; waits a moment for processes that are just ending. Absent is fine.

        Raises OSError (EBUSY) when processes stay.
        """
        retry(lambda: not [path for path in self.directories() if not files.remove_tree(path)], self.path)


class Membership(Group):
    """An existing group as a place to put a process: making and removing it is somebody else's."""

    def __init__(self, group: Group) -> None:
        super().__init__(path=group.path, mounts=group.mounts, unified=group.unified, resources={})
        self._group = group
        self.clones_into = group.clones_into

    def create(self) -> list[str]:
        return []

    def directory(self) -> str:
        return self._group.directory()

    def clone_fd(self) -> int:
        return self._group.clone_fd()

    def admit(self, pid: int) -> None:
        self._group.admit(pid)

    def doors(self) -> "list[int]":
        return self._group.doors()

    def kill(self, signal: int = 9) -> None:
        """The others in it are not ours to kill."""

    def remove(self) -> None:
        """It stays."""


def retry(attempt: "Callable[[], bool]", path: str) -> None:
    """Try for about two seconds: an exiting process leaves its cgroup only when it was reaped."""
    delay = 0.001
    while not attempt():
        if delay > 1:
            raise OSError(16, f"cgroup {path} still has processes", path)
        time.sleep(delay)
        delay *= 2


def signal_process(pid: int, number: int) -> None:
    """Signal a process read from cgroup.procs; one that is gone is fine."""
    # By pidfd: between reading the list and the signal the pid might have got another owner. It may have left as
    # well, but then only by being moved, which nobody but the host's root can do.
    try:
        fd = process.pidfd_open(pid)
    except OSError:
        return
    try:
        process.pidfd_send_signal(fd, number)
    except OSError:
        pass
    finally:
        os.close(fd)
