"""The specification's mounts → steps of init and bind mounts that the parent opens."""

import posixpath

from argosy.linux import mount
from argosy.runtime.compile.host import HostFacts
from argosy.runtime.compile.options import MountOptions, parse_options
from argosy.runtime.compile.plan import PlanError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from argosy.runtime.compile.plan import Step


class MountPlan:
    """Steps in order; those of cgroups apart, because they must wait for the join."""

    __slots__ = ("binds", "cgroup_steps", "has_dev", "steps")

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.cgroup_steps: list[Step] = []
        self.binds: list[dict[str, Any]] = []
        self.has_dev = False
        """/dev is a fresh file system, to be filled with nodes and links."""

    def bind_at(self, to: str) -> "dict[str, Any]":
        """Return the bind mount at a destination. Raises PlanError."""
        for name, fields in self.steps:
            if name == "bind" and fields["to"] == posixpath.normpath(to):
                return self.binds[fields["index"]]
        raise PlanError(f"there is no bind mount at {to}")


def plan_mounts(
    mounts: "list[dict[str, Any]]", host: HostFacts, *, own_cgroup_namespace: bool, cgroup_path: str, bundle: str = "", label: str = ""
) -> MountPlan:
    """Return how to carry out ``spec.mounts``. Raises PlanError."""
    plan = MountPlan()
    for entry in mounts:
        to = entry.get("destination", "")
        # The specification wants absolute paths; runc takes relative ones as from the root, and so do old bundles.
        to = posixpath.normpath("/" + to.lstrip("/"))
        if to == "/":
            raise PlanError("a mount at / would hide the root file system")
        kind = entry.get("type", "") or "bind"
        options = parse_options(entry.get("options") or [])
        if kind in ("cgroup", "cgroup2"):
            _plan_cgroup(plan, to, options, host, own_cgroup_namespace, cgroup_path)
        elif kind in ("bind", "rbind") or options.bind:
            _plan_bind(plan, to, entry, options, kind == "rbind" or options.recursive, bundle)
        else:
            _plan_new(plan, to, kind, entry.get("source", ""), options, label)
            plan.has_dev = plan.has_dev or to == "/dev"
    return plan


def _plan_new(plan: MountPlan, to: str, kind: str, source: str, options: MountOptions, label: str) -> None:
    data = [[key, value] for key, value in options.data]
    if label and kind in ("tmpfs", "devpts"):
        data.append(["context", label])
    # mqueue takes no option; /proc and /sys have the kernel's labels.
    own_label = label if kind == "mqueue" else ""
    plan.steps.append(
        (
            "filesystem",
            {
                "kind": kind,
                "to": to,
                "source": source or kind,
                "attributes": options.on | options.recursive_on,
                "options": data,
                "propagation": options.propagation & ~mount.MS_REC,
                "copy_up": options.copy_up,
                "label": own_label,
            },
        )
    )


def _plan_bind(plan: MountPlan, to: str, entry: "Mapping[str, Any]", options: MountOptions, recursive: bool, bundle: str) -> None:
    source = entry.get("source", "")
    if not source:
        raise PlanError(f"the bind mount at {to} has no source")
    plan.binds.append(
        {
            "source": source if source.startswith("/") else posixpath.join(bundle or "/", source),
            "recursive": recursive,
            "on": options.on,
            "off": options.off,
            "recursive_on": options.recursive_on,
            "recursive_off": options.recursive_off,
            # Docker's and runc's default: nothing that happens on the host later shows up inside, nor the other way.
            "propagation": options.propagation or mount.MS_PRIVATE | mount.MS_REC,
            "uid_map": _mapping(entry.get("uidMappings")),
            "gid_map": _mapping(entry.get("gidMappings")),
            "recursive_map": options.id_map == "ridmap",
        }
    )
    plan.steps.append(("bind", {"index": len(plan.binds) - 1, "to": to, "source": source}))


def _mapping(entries: "list[dict[str, int]] | None") -> "list[list[int]]":
    return [[entry["containerID"], entry["hostID"], entry["size"]] for entry in entries or ()]


def _plan_cgroup(plan: MountPlan, to: str, options: MountOptions, host: HostFacts, own: bool, path: str) -> None:
    attributes = options.on | mount.ATTR_NOSUID | mount.ATTR_NODEV | mount.ATTR_NOEXEC
    if host.cgroup_mode == "v2":
        if own:
            step = {"kind": "cgroup2", "to": to, "source": "cgroup", "attributes": attributes, "options": []}
            plan.cgroup_steps.append(("filesystem", step))
        else:
            plan.cgroup_steps.append(("bind", {"index": _bind_cgroup(plan, host.unified + path, attributes), "to": to, "source": path}))
        return
    hierarchies: list[list[Any]] = []
    links: list[list[str]] = []
    for point, controllers in _hierarchies(host).items():
        name = posixpath.basename(point)
        index = -1 if own else _bind_cgroup(plan, point + path, attributes)
        hierarchies.append([name, [_hierarchy_option(controller) for controller in controllers], index])
        links += [[controller, name] for controller in controllers if controller != name and not controller.startswith("name=")]
    fields = {"to": to, "attributes": attributes, "hierarchies": hierarchies, "links": links}
    plan.cgroup_steps.append(("legacy_cgroups", fields))


def _hierarchies(host: HostFacts) -> "dict[str, list[str]]":
    """Return mount point → its controllers."""
    points: dict[str, list[str]] = {}
    for controller, point in host.cgroup_mounts.items():
        points.setdefault(point, []).append(controller)
    return points


def _hierarchy_option(controller: str) -> "list[str | None]":
    name, equals, value = controller.partition("=")
    return [name, value if equals else None]


def _bind_cgroup(plan: MountPlan, source: str, attributes: int) -> int:
    plan.binds.append({"source": source, "recursive": False, "on": attributes, "off": 0, "propagation": mount.MS_PRIVATE})
    return len(plan.binds) - 1
