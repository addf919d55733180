"""``linux.cgroupsPath`` and ``linux.resources`` → the plan's cgroup, as `argosy.runtime.cgroups.open_group` takes it."""

import posixpath

from argosy.runtime.compile.host import HostFacts
from argosy.runtime.compile.plan import PlanError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# What every container may do whatever its list says, as runc's AllowedDevices: mknod of anything, the usual nodes,
# terminals.
DEFAULT_DEVICES: "list[dict[str, Any]]" = [
    {"allow": True, "type": "c", "major": -1, "minor": -1, "access": "m"},
    {"allow": True, "type": "b", "major": -1, "minor": -1, "access": "m"},
    {"allow": True, "type": "c", "major": 1, "minor": 3, "access": "rwm"},
    {"allow": True, "type": "c", "major": 1, "minor": 8, "access": "rwm"},
    {"allow": True, "type": "c", "major": 1, "minor": 7, "access": "rwm"},
    {"allow": True, "type": "c", "major": 5, "minor": 0, "access": "rwm"},
    {"allow": True, "type": "c", "major": 1, "minor": 5, "access": "rwm"},
    {"allow": True, "type": "c", "major": 1, "minor": 9, "access": "rwm"},
    {"allow": True, "type": "c", "major": 136, "minor": -1, "access": "rwm"},
    {"allow": True, "type": "c", "major": 5, "minor": 2, "access": "rwm"},
]


def plan_cgroup(linux: "Mapping[str, Any]", container_id: str, host: HostFacts, systemd: bool) -> "dict[str, Any]":
    """Return the description of the container's cgroup. Raises PlanError."""
    path = linux.get("cgroupsPath") or ""
    resources = dict(linux.get("resources") or {})
    resources["devices"] = [*(resources.get("devices") or ({"allow": False, "access": "rwm"},)), *DEFAULT_DEVICES]
    cgroup: dict[str, Any] = {
        "mode": host.cgroup_mode,
        "manager": "systemd" if systemd else "cgroupfs",
        "mounts": host.cgroup_mounts,
        "unified": host.unified,
        "resources": resources,
    }
    if systemd:
        cgroup.update(_systemd_names(path, container_id))
    else:
        path = path or "/argosy/" + container_id
        clean = posixpath.normpath("/" + path.lstrip("/"))
        if clean == "/":
            raise PlanError("the root cgroup cannot be a container's")
        cgroup["path"] = clean
    return cgroup


def _systemd_names(path: str, container_id: str) -> "dict[str, str]":
    """``slice:prefix:name`` → unit and path, as runc's --systemd-cgroup."""
    parts = path.split(":") if path else ["", "argosy", container_id]
    if len(parts) != 3:
        raise PlanError(f'expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "{path}" instead')
    slice_name, prefix, name = parts
    slice_name = slice_name or "system.slice"
    unit = name if name.endswith(".slice") else f"{prefix}-{name}.scope" if prefix else f"{name}.scope"
    return {"slice": slice_name, "unit": unit, "path": f"{expand_slice(slice_name)}/{unit}"}


def expand_slice(name: str) -> str:
    """Return ``/a.slice/a-b.slice`` for ``a-b.slice`` (systemd.slice(5)); ``-.slice`` is the root."""
    if not name.endswith(".slice") or "/" in name:
        raise PlanError(f"invalid slice name: {name}")
    stem = name.removesuffix(".slice")
    if stem == "-":
        return ""
    if not stem or stem.startswith("-") or stem.endswith("-") or "--" in stem:
        raise PlanError(f"invalid slice name: {name}")
    path, prefix = "", ""
    for part in stem.split("-"):
        prefix = f"{prefix}-{part}" if prefix else part
        path += f"/{prefix}.slice"
    return path
