"""Start one more process in a running container, up to the gate."""

import os

from argosy.linux import process
from argosy.runtime.cgroups import Group, open_group
from argosy.runtime.init import gate
from argosy.runtime.init.context import Context
from argosy.runtime.init.run import run
from argosy.runtime.spawn.child import Child
from argosy.runtime.spawn.failure import SpawnFailed
from argosy.runtime.spawn.job import build_job
from argosy.runtime.spawn.start import adjust_oom_score, remove_quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def exec_group(plan: "dict[str, Any]") -> Group:
    """Return the cgroup of the exec's own; the caller removes it when the process ended."""
    return open_group(plan["cgroup"]).sub("exec-" + plan["exec_id"][:12])


def spawn_exec(
    plan: "dict[str, Any]",
    target_pidfd: int,
    target_pid: int,
    fds: "tuple[int, int, int] | None",
    *,
    group: "Group | None" = None,
    preserve: int = 0,
    begun: "Callable[[int], None] | None" = None,
) -> Child:
    """Return the prepared child of an exec plan, in the namespaces of the container's init. Raises SpawnFailed.

    It is in the cgroup `exec_group(plan)` unless another one is given. ``begun`` hears its pid before it may enter that; until
    it executes its program it dies with this process.
    """
    group = group or exec_group(plan)
    child: Child | None = None
    try:
        try:
            warnings = group.create()
            child = _clone(plan, target_pidfd, target_pid, fds, group, preserve)
        except OSError as error:
            raise SpawnFailed(error.errno or 0, "clone", f"entering the container: {error}", kind="exec") from error
        child.warnings += warnings
        if begun is not None:
            begun(child.pid)
        adjust_oom_score(plan, child)
        try:
            group.admit(child.pid)
        except OSError as error:
            raise SpawnFailed(error.errno or 0, "cgroup", f"joining the container's cgroup: {error}", kind="exec") from error
        child.say(gate.ADMITTED)
        child.wait_prepared()
        return child
    except BaseException:
        if child is not None:
            child.abort()
        remove_quietly(group)
        raise


def _clone(
    plan: "dict[str, Any]", target_pidfd: int, target_pid: int, fds: "tuple[int, int, int] | None", group: Group, preserve: int
) -> Child:
    flags = 0
    for kind in plan["namespaces"]:
        flags |= process.NAMESPACES[kind]
    # The pid namespace takes effect for children only, so this process joins it for the moment of the clone; the
    # child joins the rest by itself, in one call.
    pid_namespace = flags & process.NEWPID
    ours, theirs = gate.pair()
    cgroup_fd, doors = -1, list[int]()
    own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC) if pid_namespace else -1
    joined = False
    try:
        cgroup_fd, doors = group.clone_fd(), group.doors()
        job = build_job(
            plan, Context(gate.Gate(theirs), doors=doors), fds, preserve=preserve, enter=(target_pidfd, flags & ~process.NEWPID)
        )
        if pid_namespace:
            process.setns(target_pidfd, process.NEWPID)
            joined = True
        pid, pidfd = process.clone3(0, cgroup_fd)
        if pid == 0:
            run(job)
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
        if joined:
            process.setns(own, process.NEWPID)
        for fd in (own, cgroup_fd, *doors):
            if fd >= 0:
                os.close(fd)
    return Child(pid, pidfd, ours, "exec")
