"""OCI resources as properties of a transient systemd unit (systemd.resource-control(5)), as pure functions.

systemd writes its own idea of a unit's limits at every daemon-reload; so it is told ours, and the files are written besides
for what has no property.
"""

from argosy.runtime.cgroups.dbus import Variant
from argosy.runtime.cgroups.limits import block_weight_to_io, shares_to_weight, swap_to_unified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Property = tuple[str, Variant]

_INFINITY = (1 << 64) - 1
_DEFAULT_PERIOD = 100_000
_ACCOUNTING = ("CPUAccounting", "MemoryAccounting", "TasksAccounting")


def unit_properties(unit: str, slice_name: str, resources: "Mapping[str, Any]", pid: int, *, unified: bool) -> "list[Property]":
    """Return the properties with which the scope of ``pid`` is started."""
    properties = [
        ("Description", Variant("s", f"argosy container {unit.removesuffix('.scope')}")),
        ("Slice", Variant("s", slice_name)),
        ("Delegate", Variant("b", True)),
        ("DefaultDependencies", Variant("b", False)),
        ("PIDs", Variant("au", [pid])),
    ]
    properties += [(name, Variant("b", True)) for name in (*_ACCOUNTING, "IOAccounting" if unified else "BlockIOAccounting")]
    return properties + limit_properties(resources, unified=unified) + device_properties(resources.get("devices") or [])


def limit_properties(resources: "Mapping[str, Any]", *, unified: bool) -> "list[Property]":
    """Return the properties that an update changes as well."""
    memory, cpu = resources.get("memory") or {}, resources.get("cpu") or {}
    properties: list[Property] = []

    def add(name: str, value: "int | str | None") -> None:
        if value is not None:
            properties.append((name, Variant("t", _INFINITY if value in (-1, "max") else value)))

    add("MemoryMax" if unified else "MemoryLimit", memory.get("limit") or None)
    if unified:
        add("MemorySwapMax", swap_to_unified(memory.get("limit") or 0, memory.get("swap") or 0))
        add("MemoryLow", memory.get("reservation") or None)
    shares = cpu.get("shares") or None
    add("CPUWeight" if unified else "CPUShares", shares_to_weight(shares) if shares and unified else shares)
    add("CPUQuotaPerSecUSec", _quota(cpu))
    weight = (resources.get("blockIO") or {}).get("weight") or None
    add("IOWeight" if unified else "BlockIOWeight", block_weight_to_io(weight) if weight and unified else weight)
    add("TasksMax", (resources.get("pids") or {}).get("limit") or None)
    return properties


def _quota(cpu: "Mapping[str, Any]") -> "int | None":
    quota = cpu.get("quota") or 0
    if quota == 0:
        return None
    if quota < 0:
        return -1
    # systemd rounds down to 10 ms of a second.
    return -(-quota * 1_000_000 // (cpu.get("period") or _DEFAULT_PERIOD)) // 10_000 * 10_000 or 10_000


def device_properties(rules: "list[dict[str, Any]]") -> "list[Property]":
    """Return ``DevicePolicy`` and ``DeviceAllow``: without them a daemon-reload opens all devices on v1."""
    allowed: list[list[str]] = []
    everything = False
    for rule in rules:
        if (rule.get("type") or "a") == "a":
            everything = bool(rule.get("allow"))
            allowed.clear()
        elif rule.get("allow"):
            name = _device_name(rule)
            if name:
                allowed.append([name, rule.get("access") or "rwm"])
    if everything or not rules:
        return [("DevicePolicy", Variant("s", "auto")), ("DeviceAllow", Variant("a(ss)", []))]
    return [("DevicePolicy", Variant("s", "strict")), ("DeviceAllow", Variant("a(ss)", allowed))]


def _device_name(rule: "Mapping[str, Any]") -> str:
    kind = "block" if rule["type"] == "b" else "char"
    major, minor = rule.get("major"), rule.get("minor")
    if major is None or major < 0:
        return f"{kind}-*"
    if minor is None or minor < 0:
        return "char-pts" if (kind, major) == ("char", 136) else ""
    return f"/dev/{kind}/{major}:{minor}"
