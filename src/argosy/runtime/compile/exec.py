"""One more process in a running container → its plan."""

from argosy.runtime.compile.host import HostFacts
from argosy.runtime.compile.plan import VERSION
from argosy.runtime.compile.process import limit_steps, process_fields, scheduling_steps, user_step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from argosy.runtime.compile.plan import Plan, Step


_NEEDED = ("version", "id", "namespaces", "join", "cgroup", "rights", "bpf", "seccomp_flags", "oom_score_adj")


def exec_part(start: "Plan") -> "Plan":
    """Return what of a start plan is worth keeping while the container runs: neither its environment nor its mounts."""
    return {key: start[key] for key in _NEEDED}


def compile_exec(
    process: "Mapping[str, Any]",
    start: "Plan",
    *,
    exec_id: str,
    host: "HostFacts | None" = None,
    console_size: tuple[int, int] = (0, 0),
) -> "Plan":
    """Return the plan of an exec in the container that ``start`` describes. Pure. Raises PlanError.

    Without ``host`` the facts that matter here are the start plan's own.
    """
    facts = host or HostFacts(kernel=(0, 0), last_capability=start["rights"]["last"], apparmor=bool(start["rights"]["apparmor"]))
    fields = process_fields(process, facts, None)
    fields["bpf"] = start["bpf"]
    fields["seccomp_flags"] = start["seccomp_flags"]
    if start["rights"]["no_new_privileges"]:
        fields["rights"]["no_new_privileges"] = True
    size = process.get("consoleSize") or {}
    rows, columns = console_size if any(console_size) else (size.get("height", 0), size.get("width", 0))
    steps: list[Step] = []
    if fields["terminal"]:
        steps.append(("terminal", {"rows": rows, "columns": columns, "console": False}))
    steps += [
        ("await", {"word": "j"}),
        ("keyring", {"name": "_ses." + start["id"]}),
        *scheduling_steps(process),
        *limit_steps(process),
        user_step(process),
        ("working_directory", {"path": fields["cwd"]}),
    ]
    return {
        "version": VERSION,
        "kind": "exec",
        "id": start["id"],
        "exec_id": exec_id,
        # Those that the container shares with the host or another one are joined all the same: they are its.
        "namespaces": sorted({*start["namespaces"], *start["join"]}),
        "cgroup": start["cgroup"],
        "steps": steps,
        "init": False,
        "oom_score_adj": process.get("oomScoreAdj", start["oom_score_adj"]),
        **fields,
    }
