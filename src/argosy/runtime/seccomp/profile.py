"""A profile in Docker's format and a container's rights → OCI ``linux.seccomp``.

The format: github.com/moby/profiles/seccomp; what it resolves to: config-linux.md "Seccomp".
"""

import json

from argosy.runtime.seccomp.default import default_profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_GO_NAMES = {"x86_64": "amd64", "aarch64": "arm64", "i686": "x86", "armv7l": "arm", "riscv64": "riscv64"}
_NATIVE = {
    "amd64": "SCMP_ARCH_X86_64",
    "arm64": "SCMP_ARCH_AARCH64",
    "x86": "SCMP_ARCH_X86",
    "arm": "SCMP_ARCH_ARM",
    "riscv64": "SCMP_ARCH_RISCV64",
}


class ProfileError(ValueError):
    """The profile is wrong; the text is Docker's where it has one."""


def load_profile(text: "str | bytes") -> "dict[str, Any]":
    """Return a profile file's content. Raises ProfileError."""
    try:
        profile = json.loads(text)
    except ValueError as error:
        raise ProfileError(f"Decoding seccomp profile failed: {error}") from error
    if not isinstance(profile, dict):
        raise ProfileError("Decoding seccomp profile failed: not an object")
    return profile


def resolve(
    profile: "Mapping[str, Any] | None", *, capabilities: "Sequence[str]", machine: str, kernel: tuple[int, int]
) -> "dict[str, Any] | None":
    """Return OCI ``linux.seccomp`` for a container with these capabilities; ``profile`` None means the default one.

    An empty profile means no filter (None), as Docker treats it. Raises ProfileError.
    """
    if profile is None:
        profile = default_profile()
    if not profile.get("defaultAction") and not profile.get("syscalls"):
        return None
    if profile.get("architectures") and profile.get("archMap"):
        raise ProfileError(
            "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'"
        )
    arch = _GO_NAMES.get(machine, machine)
    resolved: dict[str, Any] = {"defaultAction": profile["defaultAction"], "architectures": _architectures(profile, arch)}
    for key in ("defaultErrnoRet", "flags", "listenerPath", "listenerMetadata"):
        if profile.get(key) is not None:
            resolved[key] = profile[key]
    resolved["syscalls"] = [_rule(rule) for rule in profile.get("syscalls") or () if _applies(rule, set(capabilities), arch, kernel)]
    return resolved


def _architectures(profile: "Mapping[str, Any]", arch: str) -> list[str]:
    if profile.get("architectures"):
        return list(profile["architectures"])
    native = _NATIVE.get(arch, "")
    for entry in profile.get("archMap") or ():
        if entry.get("architecture") == native:
            return [native, *(entry.get("subArchitectures") or ())]
    return []


def _applies(rule: "Mapping[str, Any]", capabilities: set[str], arch: str, kernel: tuple[int, int]) -> bool:
    excludes, includes = rule.get("excludes") or {}, rule.get("includes") or {}
    if arch in (excludes.get("arches") or ()) or capabilities & set(excludes.get("caps") or ()):
        return False
    if excludes.get("minKernel") and kernel >= _version(excludes["minKernel"]):
        return False
    if includes.get("arches") and arch not in includes["arches"]:
        return False
    if not set(includes.get("caps") or ()) <= capabilities:
        return False
    return not (includes.get("minKernel") and kernel < _version(includes["minKernel"]))


def _version(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    try:
        return int(major), int(minor)
    except ValueError:
        raise ProfileError(f'invalid kernel version: "{text}"') from None


def _rule(rule: "Mapping[str, Any]") -> "dict[str, Any]":
    if rule.get("name") and rule.get("names"):
        raise ProfileError("both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'")
    resolved: dict[str, Any] = {"names": list(rule.get("names") or [rule.get("name", "")]), "action": rule["action"]}
    if rule.get("errnoRet") is not None:
        resolved["errnoRet"] = rule["errnoRet"]
    if rule.get("args"):
        resolved["args"] = [dict(argument) for argument in rule["args"]]
    return resolved
