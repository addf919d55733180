"""A container's specification → its start plan."""

import os
import stat

from argosy.linux import mount
from argosy.linux.process import NAMESPACES, PROC_NAMES
from argosy.runtime.compile.cgroup import plan_cgroup
from argosy.runtime.compile.host import HostFacts
from argosy.runtime.compile.mounts import MountPlan, plan_mounts
from argosy.runtime.compile.options import parse_propagation
from argosy.runtime.compile.plan import VERSION, PlanError
from argosy.runtime.compile.process import filter_flags, limit_steps, process_fields, scheduling_steps, user_step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from argosy.oci.runtime_spec import RuntimeSpec
    from argosy.runtime.compile.plan import Plan, Step
    from argosy.runtime.model import Tree
    from argosy.storage.model import RootMount

_NODES = (("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0))
_LINKS = (("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2"))
_PERSONALITIES = {"LINUX": 0x0, "LINUX32": 0x8}
_TYPES = {"c": stat.S_IFCHR, "u": stat.S_IFCHR, "b": stat.S_IFBLK, "p": stat.S_IFIFO}


def compile_start(
    spec: "RuntimeSpec",
    rootfs: "RootMount",
    *,
    container_id: str,
    host: HostFacts,
    init: bool = False,
    join: "Mapping[str, int]" = {},  # noqa: B006 (never written)
    bpf: "bytes | None" = None,
    systemd_cgroup: bool = False,
    bundle: str = "",
    no_pivot: bool = False,
    keyring: bool = True,
    hooks: bool = False,
    trees: "Mapping[str, Tree]" = {},  # noqa: B006 (never written)
) -> "Plan":
    """Return the plan of a start. Pure. Raises PlanError on a specification that cannot be carried out.

    ``trees``: what the bind mounts at these destinations show. ``hooks``: the caller runs hooks of its own before the pivot
    (`spawn`'s ``on_mounted``).
    """
    linux = spec.get("linux") or {}
    process = spec.get("process") or {}
    new, joined = _namespaces(linux.get("namespaces") or [], join)
    if "mount" not in new:
        raise PlanError("a container needs a mount namespace of its own")
    cgroup = plan_cgroup(linux, container_id, host, systemd_cgroup)
    own_cgroups = "cgroup" in new and host.cgroup_namespaces
    label = linux.get("mountLabel", "")
    mounts = plan_mounts(
        list(spec.get("mounts") or ()),  # type: ignore[arg-type]
        host,
        own_cgroup_namespace=own_cgroups,
        cgroup_path=cgroup["path"],
        bundle=bundle,
        label=label,
    )
    for to, tree in trees.items():
        _show_tree(mounts.bind_at(to), tree, host, label)
    user_namespace = "user" in new or "user" in joined
    steps: list[Step] = []
    if "user" in new:
        steps += [("await", {"word": "m"}), ("map_root", {})]
    elif "user" in joined:
        steps.append(("map_root", {}))
    steps += [
        ("propagation", {"path": "/", "flag": mount.MS_REC | mount.MS_PRIVATE}),
        ("attach_root", {"point": _attach_point(rootfs, hooks or not user_namespace)}),
    ]
    steps += mounts.steps
    if mounts.has_dev:
        steps += _device_steps(linux, host, user_namespace, mounts)
    if process.get("terminal"):
        size = process.get("consoleSize") or {}
        steps.append(("terminal", {"rows": size.get("height", 0), "columns": size.get("width", 0), "console": True}))
    steps += _name_steps(spec, new)
    steps.append(("await", {"word": "j"}))
    if own_cgroups:
        steps.append(("new_cgroup_namespace", {}))
    steps += mounts.cgroup_steps
    steps += [("sysctl", {"name": name.replace(".", "/"), "value": str(value)}) for name, value in (linux.get("sysctl") or {}).items()]
    if hooks:
        steps.append(("hooks", {}))
    steps += _confining_steps(spec, no_pivot)
    if keyring:
        steps.append(("keyring", {"name": "_ses." + container_id}))
    if linux.get("personality"):
        steps.append(("personality", {"persona": _PERSONALITIES[linux["personality"]["domain"]]}))
    steps += [
        *scheduling_steps(process),
        *limit_steps(process),
        user_step(process),
        ("working_directory", {"path": process.get("cwd") or "/"}),
    ]
    uids = _mapping(linux.get("uidMappings"), "user" in new) if user_namespace else []
    gids = _mapping(linux.get("gidMappings"), "user" in new) if user_namespace else []
    return {
        "version": VERSION,
        "kind": "start",
        "id": container_id,
        "namespaces": sorted(new),
        "join": joined,
        # Those of a joined namespace are not written again; the layers are mapped by them.
        "uid_map": uids,
        "gid_map": gids,
        "root": plan_tree(rootfs, lowerdir_plus=host.lowerdir_plus, uids=uids, gids=gids, label=label),
        "binds": mounts.binds,
        "cgroup": cgroup,
        "steps": steps,
        "init": init,
        "oom_score_adj": process.get("oomScoreAdj"),
        "time_offsets": linux.get("timeOffsets") or {},
        "seccomp_flags": filter_flags(linux.get("seccomp")),
        **process_fields(process, host, bpf),
    }


def _namespaces(entries: "list[dict[str, str]]", join: "Mapping[str, int]") -> "tuple[set[str], dict[str, str]]":
    """Return (types to make, {type: path to join})."""
    new: set[str] = set()
    joined: dict[str, str] = {}
    for entry in entries:
        kind = entry["type"]
        if kind not in NAMESPACES:
            raise PlanError(f"unknown namespace type {kind}")
        if kind in new or kind in joined:
            raise PlanError(f"namespace {kind} is named twice")
        if entry.get("path"):
            joined[kind] = entry["path"]
        else:
            new.add(kind)
    for kind, pid in join.items():
        kind = {"net": "network", "mnt": "mount"}.get(kind, kind)
        if kind not in NAMESPACES:
            raise PlanError(f"unknown namespace type {kind}")
        new.discard(kind)
        joined[kind] = f"/proc/{pid}/ns/{PROC_NAMES[kind]}"
    return new, joined


def _mapping(entries: "list[dict[str, int]] | None", needed: bool) -> "list[list[int]]":
    if not entries and needed:
        raise PlanError("a user namespace needs uidMappings and gidMappings")
    return [[entry["containerID"], entry["hostID"], entry["size"]] for entry in entries or ()]


def _attach_point(rootfs: "RootMount", in_place: bool) -> str:
    """A directory root is attached where it lies, so that hooks find its mounts there; else any directory of the host will do.

    Over "/" it cannot be seen by this process, but setns(2) into the namespace would arrive in it. In a user namespace the way to
    where it lies may be closed.
    """
    return getattr(rootfs, "path", "/") if in_place else "/"


def _show_tree(bind: "dict[str, Any]", tree: "Tree", host: HostFacts, label: str) -> None:
    uids, gids = bind.pop("uid_map"), bind.pop("gid_map")
    bind["source"] = tree.name
    bind["tree"] = plan_tree(tree.root, lowerdir_plus=host.lowerdir_plus, uids=uids, gids=gids, label=label) | {"subpath": tree.subpath}


def plan_tree(
    tree: "RootMount", *, lowerdir_plus: bool, uids: "Sequence[Sequence[int]]", gids: "Sequence[Sequence[int]]", label: str = ""
) -> "dict[str, Any]":
    """Return how `spawn.sources.open_tree` mounts a tree; the mappings are (on the disk, seen, size).

    ``label``: SELinux's of all its files, but of a plain directory, whose files have labels of their own.
    """
    mapping: dict[str, Any] = {"uid_map": uids, "gid_map": gids}
    lower = getattr(tree, "lower", None)
    if lower is None:
        # Who prepared a bundle has prepared its owners too.
        mapped = getattr(tree, "map", True)
        return {"kind": "directory", "path": tree.path, **(mapping if mapped else {"uid_map": [], "gid_map": []})}  # type: ignore[union-attr]
    return {
        "kind": "overlay",
        "lower": list(lower),
        "upper": tree.upper,  # type: ignore[union-attr]
        "work": tree.work,  # type: ignore[union-attr]
        "lowerdir_plus": lowerdir_plus,
        "program": tree.program,  # type: ignore[union-attr]
        "label": label,
        **mapping,
    }


def _device_steps(linux: "Mapping[str, Any]", host: HostFacts, user_namespace: bool, mounts: MountPlan) -> "list[Step]":
    steps: list[Step] = []
    nodes = [(f"/dev/{name}", stat.S_IFCHR | 0o666, major, minor, 0, 0) for name, major, minor in _NODES]
    for device in linux.get("devices") or ():
        kind = _TYPES.get(device.get("type", ""))
        if kind is None:
            raise PlanError(f"device {device.get('path')}: unknown type {device.get('type')!r}")
        path = os.path.normpath("/" + device["path"].lstrip("/"))
        nodes = [node for node in nodes if node[0] != path]
        mode = kind | device.get("fileMode", 0o666) & 0o7777
        nodes.append((path, mode, device.get("major", 0), device.get("minor", 0), device.get("uid", 0), device.get("gid", 0)))
    for path, mode, major, minor, uid, gid in nodes:
        fields = {"to": path, "mode": mode, "major": major, "minor": minor, "uid": uid, "gid": gid}
        if user_namespace:
            mounts.binds.append({"source": path, "recursive": False, "on": 0, "off": 0, "propagation": mount.MS_PRIVATE})
            fields["index"] = len(mounts.binds) - 1
        steps.append(("device", fields))
    links = [*_LINKS, ("ptmx", "pts/ptmx")]
    if host.kcore:
        links.append(("core", "/proc/kcore"))
    return steps + [("link", {"to": f"/dev/{name}", "target": target}) for name, target in links]


def _name_steps(spec: "RuntimeSpec", new: "set[str]") -> "list[Step]":
    steps: list[Step] = []
    if "uts" in new:
        if spec.get("hostname"):
            steps.append(("hostname", {"name": spec["hostname"]}))
        if spec.get("domainname"):
            steps.append(("domainname", {"name": spec["domainname"]}))
    elif spec.get("hostname") and not any(entry["type"] == "uts" for entry in (spec.get("linux") or {}).get("namespaces") or ()):
        raise PlanError("unable to set hostname without a private UTS namespace")
    return steps


def _confining_steps(spec: "RuntimeSpec", no_pivot: bool) -> "list[Step]":
    """The steps that close the root: nothing is mounted after them."""
    linux = spec.get("linux") or {}
    cwd = (spec.get("process") or {}).get("cwd") or "/"
    steps: list[Step] = []
    if cwd != "/":
        steps.append(("make_directory", {"path": cwd}))
    if linux.get("readonlyPaths"):
        steps.append(("read_only", {"paths": list(linux["readonlyPaths"])}))
    if linux.get("maskedPaths"):
        steps.append(("mask", {"paths": list(linux["maskedPaths"])}))
    if (spec.get("root") or {}).get("readonly"):
        steps.append(("root_readonly", {}))
    steps.append(("pivot", {"move": no_pivot}))
    try:
        propagation = parse_propagation(linux.get("rootfsPropagation", ""))
    except KeyError as error:
        raise PlanError(f"rootfsPropagation={error.args[0]} is not supported") from None
    # A shared or unbindable root is the container's wish for mounts inside; private and slave hold already.
    if propagation & (mount.MS_SHARED | mount.MS_UNBINDABLE):
        steps.append(("propagation", {"path": "/", "flag": propagation}))
    return steps
