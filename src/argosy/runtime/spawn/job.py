"""Build what the child needs while still outside: everything encoded, every object made."""

import binascii
import os

from argosy.linux.seccomp import Program
from argosy.runtime.compile.plan import VERSION
from argosy.runtime.init.context import Context
from argosy.runtime.init.operations import build
from argosy.runtime.init.rights import Rights
from argosy.runtime.init.run import Job
from argosy.runtime.spawn.failure import SpawnFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Plan = dict[str, Any]


def build_job(
    plan: "Plan",
    context: Context,
    fds: "tuple[int, int, int] | None",
    *,
    preserve: int = 0,
    enter: "tuple[int, int] | None" = None,
) -> Job:
    """Return the child's job. Raises SpawnFailed on a plan of another version, or without stdio."""
    if plan["version"] != VERSION:
        raise SpawnFailed(0, "plan", f"this shim cannot carry out a plan of version {plan['version']}", kind=plan["kind"])
    if not plan["terminal"] and fds is None:
        raise SpawnFailed(0, "plan", "a process without a terminal needs three fds", kind=plan["kind"])
    return Job(
        context=context,
        operations=build(plan["steps"]),
        rights=build_rights(plan),
        argv=[os.fsencode(word) for word in plan["argv"]],
        environment={os.fsencode(name): os.fsencode(value) for name, value in plan["environment"].items()},
        cwd=os.fsencode(plan["cwd"]),
        stdio=None if plan["terminal"] else fds,
        reap=plan["init"],
        preserve=preserve,
        enter=enter,
    )


def build_rights(plan: "Plan") -> Rights:
    fields: dict[str, Any] = dict(plan["rights"])
    priority = fields.pop("io_priority")
    fields["apparmor"] = os.fsencode(fields["apparmor"])
    fields["selinux"] = os.fsencode(fields["selinux"])
    return Rights(
        **fields,
        io_priority=(priority[0], priority[1]) if priority else None,
        filter=None if plan["bpf"] is None else Program(binascii.a2b_base64(plan["bpf"]), plan["seccomp_flags"]),
    )
