"""``info`` and events, from the newest shape back to the version that was asked for."""

from collections.abc import Mapping
from typing import Any


def info(newest: Mapping[str, Any], version: int) -> dict[str, Any]:
    """Return ``GET /info`` as that version had it."""
    wire = dict(newest)
    if version < 53:
        wire.pop("NRI", None)
    if version < 52:
        wire.setdefault("KernelMemoryTCP", False)
    else:
        wire.pop("KernelMemoryTCP", None)
    if version < 50:
        wire.pop("DiscoveredDevices", None)
        wire |= {"BridgeNfIptables": False, "BridgeNfIp6tables": False}
    if version < 49:
        wire.pop("FirewallBackend", None)
        for name in ("ContainerdCommit", "RuncCommit", "InitCommit"):
            commit = wire.get(name) or {"ID": ""}
            wire[name] = {**commit, "Expected": commit.get("ID", "")}
        registry = wire.get("RegistryConfig") or {}
        wire["RegistryConfig"] = {
            "AllowNondistributableArtifactsCIDRs": None,
            "AllowNondistributableArtifactsHostnames": None,
            **registry,
        }
    if version < 46:
        wire.pop("Containerd", None)
    if version < 44:
        wire["Runtimes"] = {name: {k: v for k, v in one.items() if k != "status"} for name, one in (wire.get("Runtimes") or {}).items()}
    if version < 42:
        wire.setdefault("KernelMemory", False)
    if version < 25:
        wire["SecurityOptions"] = [_old_security_option(option) for option in wire.get("SecurityOptions") or ()]
    return wire


def _old_security_option(option: str) -> str:
    """``name=seccomp,profile=builtin`` was ``seccomp``."""
    return option.partition(",")[0].removeprefix("name=")


def event(newest: Mapping[str, Any], version: int) -> dict[str, Any]:
    """Return one event; up to 1.51 the fields of API 1.21 were repeated at the top for containers and images."""
    wire = dict(newest)
    if version >= 52:
        for name in ("status", "id", "from"):
            wire.pop(name, None)
        return wire
    kind, actor = wire.get("Type"), wire.get("Actor") or {}
    if kind in ("container", "image"):
        legacy = {"status": wire.get("Action", ""), "id": actor.get("ID", "")}
        origin = (actor.get("Attributes") or {}).get("image")
        if kind == "container" and origin:
            legacy["from"] = origin
        wire = legacy | wire
    return wire


def stats(newest: Mapping[str, Any], version: int) -> Mapping[str, Any]:
    return {"os_type": "linux", **newest} if version >= 52 else newest
