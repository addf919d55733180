"""An OCI ``process`` → the part of a plan that start and exec share."""

import binascii

from argosy.linux.capabilities import NUMBERS
from argosy.linux.seccomp import FLAGS
from argosy.runtime.compile.host import HostFacts
from argosy.runtime.compile.plan import PlanError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from argosy.runtime.compile.plan import Step

RESOURCES = {
    "RLIMIT_CPU": 0,
    "RLIMIT_FSIZE": 1,
    "RLIMIT_DATA": 2,
    "RLIMIT_STACK": 3,
    "RLIMIT_CORE": 4,
    "RLIMIT_RSS": 5,
    "RLIMIT_NPROC": 6,
    "RLIMIT_NOFILE": 7,
    "RLIMIT_MEMLOCK": 8,
    "RLIMIT_AS": 9,
    "RLIMIT_LOCKS": 10,
    "RLIMIT_SIGPENDING": 11,
    "RLIMIT_MSGQUEUE": 12,
    "RLIMIT_NICE": 13,
    "RLIMIT_RTPRIO": 14,
    "RLIMIT_RTTIME": 15,
}
_POLICIES = {"SCHED_OTHER": 0, "SCHED_FIFO": 1, "SCHED_RR": 2, "SCHED_BATCH": 3, "SCHED_ISO": 4, "SCHED_IDLE": 5, "SCHED_DEADLINE": 6}
_SCHEDULER_FLAGS = {
    "SCHED_FLAG_RESET_ON_FORK": 0x01,
    "SCHED_FLAG_RECLAIM": 0x02,
    "SCHED_FLAG_DL_OVERRUN": 0x04,
    "SCHED_FLAG_KEEP_POLICY": 0x08,
    "SCHED_FLAG_KEEP_PARAMS": 0x10,
    "SCHED_FLAG_UTIL_CLAMP_MIN": 0x20,
    "SCHED_FLAG_UTIL_CLAMP_MAX": 0x40,
}
_IO_CLASSES = {"IOPRIO_CLASS_RT": 1, "IOPRIO_CLASS_BE": 2, "IOPRIO_CLASS_IDLE": 3}


def process_fields(process: "Mapping[str, Any]", host: HostFacts, bpf: "bytes | None") -> "dict[str, Any]":
    """Return argv, environment, cwd, rights. Raises PlanError."""
    args = process.get("args") or []
    if not args:
        raise PlanError("process.args must not be empty")
    for text in (*args, *(process.get("env") or ())):
        if "\0" in text:
            raise PlanError("process arguments and environment must not contain NUL")
    cwd = process.get("cwd") or "/"
    if not cwd.startswith("/"):
        raise PlanError("Cwd must be an absolute path")
    return {
        "argv": list(args),
        "environment": _environment(process.get("env") or []),
        "cwd": cwd,
        "terminal": bool(process.get("terminal")),
        "rights": _rights(process, host),
        "bpf": None if bpf is None else binascii.b2a_base64(bpf, newline=False).decode("ascii"),
    }


def _environment(entries: "list[str]") -> "dict[str, str]":
    environment = {}
    for entry in entries:
        name, equals, value = entry.partition("=")
        if not equals or not name:
            raise PlanError(f"invalid environment variable: {entry!r}")
        environment[name] = value
    return environment


def _rights(process: "Mapping[str, Any]", host: HostFacts) -> "dict[str, Any]":
    sets = process.get("capabilities") or {}
    known = (1 << (host.last_capability + 1)) - 1
    masks = {name: _mask(sets.get(name) or []) & known for name in ("bounding", "effective", "permitted", "inheritable", "ambient")}
    # The kernel takes no ambient capability that is not permitted and inheritable; runc drops such as well.
    masks["ambient"] &= masks["permitted"] & masks["inheritable"]
    user = process.get("user") or {}
    priority = process.get("ioPriority")
    return {
        **masks,
        "last": host.last_capability,
        "no_new_privileges": bool(process.get("noNewPrivileges")),
        "apparmor": process.get("apparmorProfile", "") if host.apparmor else "",
        "selinux": process.get("selinuxLabel", ""),
        "umask": user.get("umask", 0o022),
        "io_priority": [_IO_CLASSES[priority["class"]], priority.get("priority", 0)] if priority else None,
    }


def _mask(names: "list[str]") -> int:
    mask = 0
    for name in names:
        if name not in NUMBERS:
            raise PlanError(f"unknown capability {name}")
        mask |= 1 << NUMBERS[name]
    return mask


def filter_flags(seccomp: "Mapping[str, Any] | None") -> int:
    """Return seccomp(2)'s flags of OCI ``linux.seccomp.flags``. Raises PlanError."""
    flags = 0
    for name in (seccomp or {}).get("flags") or ():
        if name not in FLAGS:
            raise PlanError(f"invalid seccomp flag: {name}")
        flags |= FLAGS[name]
    return flags


def scheduling_steps(process: "Mapping[str, Any]") -> "list[Step]":
    """Return the step of ``process.scheduler`` (sched_setattr(2)). Raises PlanError."""
    scheduler = process.get("scheduler")
    if not scheduler:
        return []
    policy = scheduler.get("policy", "")
    if policy not in _POLICIES:
        raise PlanError(f"invalid scheduler policy: {policy}")
    flags = 0
    for name in scheduler.get("flags") or ():
        if name not in _SCHEDULER_FLAGS:
            raise PlanError(f"invalid scheduler flag: {name}")
        flags |= _SCHEDULER_FLAGS[name]
    times = [scheduler.get(key, 0) for key in ("runtime", "deadline", "period")]
    fields = {"policy": _POLICIES[policy], "flags": flags, "nice": scheduler.get("nice", 0), "priority": scheduler.get("priority", 0)}
    return [("scheduler", {**fields, "times": times})]


def limit_steps(process: "Mapping[str, Any]") -> "list[Step]":
    """Return one step a resource limit. Raises PlanError on an unknown or doubled one."""
    steps: list[Step] = []
    seen = set()
    for limit in process.get("rlimits") or ():
        name = limit["type"]
        if name not in RESOURCES:
            raise PlanError(f"unknown resource limit {name}")
        if name in seen:
            raise PlanError(f"rlimit {name} is set twice")
        seen.add(name)
        steps.append(("limit", {"name": name, "resource": RESOURCES[name], "soft": limit["soft"], "hard": limit["hard"]}))
    return steps


def user_step(process: "Mapping[str, Any]") -> "Step":
    """Return the step that decides who the program runs as."""
    user = process.get("user") or {}
    return (
        "user",
        {
            "lookup": "username" in user,
            "name": user.get("username", ""),
            "uid": user.get("uid", 0),
            "gid": user.get("gid", 0),
            "groups": list(user.get("additionalGids") or ()),
            "more": [str(name) for name in user.get("additionalGroups") or ()],
        },
    )
