"""Start a container's first process, up to the gate."""

import os

from argosy.linux import process
from argosy.linux.loopback import raise_loopback
from argosy.linux.userns import write_maps
from argosy.runtime.cgroups import Group, open_group
from argosy.runtime.init import gate
from argosy.runtime.init.context import Context
from argosy.runtime.init.run import run
from argosy.runtime.spawn.child import Child
from argosy.runtime.spawn.failure import SpawnFailed
from argosy.runtime.spawn.job import build_job
from argosy.runtime.spawn.namespaces import Joined, clone_into_user_namespace
from argosy.runtime.spawn.sources import Mapper, open_binds, open_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from collections.abc import Callable
    from typing import Any


def spawn(
    plan: "dict[str, Any]",
    fds: "tuple[int, int, int] | None",
    *,
    group: "Group | None" = None,
    preserve: int = 0,
    listener: "_socket.socket | None" = None,
    on_mounted: "Callable[[int], None] | None" = None,
) -> Child:
    """Return the prepared child of a start plan. Raises SpawnFailed; nothing is left then.

    ``preserve`` fds from 3 on are inherited by the program (they must be inheritable already). With ``listener`` the
    child outlives its parent at the gate and goes on when somebody connects and says ``g``.
    """
    group = group or open_group(plan["cgroup"])
    child = begin(plan, fds, group, preserve=preserve, listener=listener)
    try:
        child.wait_prepared(on_mounted)
    except BaseException:
        child.abort()
        remove_quietly(group)
        raise
    return child


def begin(
    plan: "dict[str, Any]",
    fds: "tuple[int, int, int] | None",
    group: Group,
    *,
    preserve: int = 0,
    listener: "_socket.socket | None" = None,
) -> Child:
    """The same while the child still mounts: the caller has time for other work before its `Child.wait_prepared`."""
    root = -1
    binds: list[tuple[int, bool]] = []
    child: Child | None = None
    mapper = Mapper()
    try:
        warnings = _create_group(group)
        root = open_root(plan, mapper)
        binds = open_binds(plan["binds"], mapper)
        child = _clone(plan, fds, group, root, binds, preserve, listener)
        root = -1
        child.warnings += warnings
        _admit(plan, child, group)
        return child
    except BaseException:
        if child is not None:
            child.abort()
        remove_quietly(group)
        raise
    finally:
        mapper.close()
        for fd, _ in binds:
            os.close(fd)
        if root >= 0:
            os.close(root)


def remove_quietly(group: Group) -> None:
    """Remove the group of a start that failed; the reason of the failure counts, not a cgroup that stays behind."""
    try:
        group.kill()
        group.remove()
    except OSError:
        pass


def _create_group(group: Group) -> list[str]:
    try:
        return group.create()
    except (OSError, ValueError) as error:
        number = error.errno or 0 if isinstance(error, OSError) else 0
        raise SpawnFailed(number, "cgroup", f"unable to apply cgroup configuration: {error}") from error


def _clone(
    plan: "dict[str, Any]",
    fds: "tuple[int, int, int] | None",
    group: Group,
    root: int,
    binds: "list[tuple[int, bool]]",
    preserve: int,
    listener: "_socket.socket | None",
) -> Child:
    # A cgroup namespace is not made here: its root would be the parent's cgroup (the child unshares it after the join).
    # Nor a time namespace: its offsets must be set before anybody is in it (`Joined` does that).
    flags = 0
    for kind in plan["namespaces"]:
        if kind not in ("cgroup", "time"):
            flags |= process.NAMESPACES[kind]
    ours, theirs = gate.pair()
    cgroup_fd, doors = -1, list[int]()
    try:
        cgroup_fd, doors = group.clone_fd(), group.doors()
        job = build_job(plan, Context(gate.Gate(theirs, listener), root, binds, doors), fds, preserve=preserve)
        offsets = plan["time_offsets"] if "time" in plan["namespaces"] else None
        with Joined(plan["join"], offsets):
            if "user" in plan["join"]:
                pid, pidfd = clone_into_user_namespace(plan["join"], flags, cgroup_fd)
            else:
                pid, pidfd = process.clone3(flags, cgroup_fd)
            if pid == 0:
                run(job)
    except OSError as error:
        ours.close()
        raise SpawnFailed(error.errno or 0, "clone", f"making the container's namespaces: {error}") from error
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
        for fd in (cgroup_fd, *doors):
            if fd >= 0:
                os.close(fd)
    return Child(pid, pidfd, ours, "start", root)


def _admit(plan: "dict[str, Any]", child: Child, group: Group) -> None:
    """Do for the child what only the host may do, while it is already mounting."""
    if "user" in plan["namespaces"]:
        try:
            write_maps(child.pid, plan["uid_map"], plan["gid_map"])
        except OSError as error:
            raise SpawnFailed(error.errno or 0, "user namespace", f"writing the id maps: {error}") from error
        child.say(gate.MAPPED)
    adjust_oom_score(plan, child)
    try:
        group.admit(child.pid)
    except OSError as error:
        raise SpawnFailed(error.errno or 0, "cgroup", f"unable to apply cgroup configuration: {error}") from error
    child.say(gate.ADMITTED)
    if "network" in plan["namespaces"]:
        try:
            _raise_loopback(child.pid)
        except OSError as error:
            raise SpawnFailed(error.errno or 0, "network namespace", f"raising the loopback link: {error}") from error


def _raise_loopback(pid: int) -> None:
    """As runc and crun do in a namespace that they make. From here, because it may wait for the kernel's network lock."""
    try:
        there = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return  # it has ended, and the gate says why
    home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        process.setns(there, process.NAMESPACES["network"])
        try:
            raise_loopback()
        finally:
            process.setns(home, process.NAMESPACES["network"])
    finally:
        os.close(there)
        os.close(home)


def adjust_oom_score(plan: "dict[str, Any]", child: Child) -> None:
    """Set oom_score_adj from outside; where lowering it is refused the nearest that is allowed, with a warning."""
    wanted = plan["oom_score_adj"]
    if wanted is None:
        return
    path = f"/proc/{child.pid}/oom_score_adj"
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.write(fd, b"%d" % wanted)
    except OSError:
        child.warnings.append(f"oom_score_adj {wanted} was refused: lowering it needs CAP_SYS_RESOURCE")
    finally:
        os.close(fd)
