"""A container's cgroup: limits, membership, freezing, counters, OOM events; v1, hybrid and v2, cgroupfs and systemd.

Nothing outside the named cgroup and the parents that had to be made for it is ever written.
"""

from argosy.runtime.cgroups.group import Group, Membership, Resources
from argosy.runtime.cgroups.legacy import LegacyGroup
from argosy.runtime.cgroups.unified import UnifiedGroup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def open_group(cgroup: "Mapping[str, Any]") -> Group:
    """Return the group that a plan's ``cgroup`` describes; nothing is touched yet."""
    kind = UnifiedGroup if cgroup["mode"] == "v2" else LegacyGroup
    group = kind(path=cgroup["path"], mounts=cgroup["mounts"], unified=cgroup["unified"], resources=cgroup.get("resources") or {})
    if cgroup["manager"] != "systemd":
        return group
    from argosy.runtime.cgroups.systemd import SystemdGroup  # its D-Bus is needed by nobody else

    return SystemdGroup(group, cgroup["unit"], cgroup["slice"])


__all__ = ["Group", "Membership", "Resources", "open_group"]
