"""``--security-opt``: what confines a container beyond its capabilities. Pure (moby ``daemon/daemon_unix.go: parseSecurityOpt``)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from argosy.base.errors import SystemFailureError

_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})


@dataclass(frozen=True, slots=True)
class Security:
    """What was asked for; empty or None: the daemon's default."""

    seccomp: str = ""
    """``unconfined``, ``builtin``, a path on the daemon's host, or a profile as JSON (the docker CLI sends the file's content)."""
    apparmor: str = ""
    """A profile's name, or ``unconfined``."""
    labels: tuple[str, ...] = ()
    """SELinux: ``user:…``, ``role:…``, ``type:…``, ``level:…``, ``filetype:…``, ``disable``; what they mean: `engine.selinux`."""
    no_new_privileges: bool | None = None
    writable_cgroups: bool | None = None
    unconfined_paths: bool = False
    """``systempaths=unconfined``: nothing of /proc and /sys is masked or read-only."""


def security_options(options: Sequence[str] | None) -> Security:
    """Return what the options say; a later one wins. Raises SystemFailureError in Docker's words (its status is 500, too)."""
    found = Security()
    for option in options or ():
        found = _one(found, option)
    return found


def _one(found: Security, option: str) -> Security:
    if option == "no-new-privileges":
        return replace(found, no_new_privileges=True)
    if option == "writable-cgroups":
        return replace(found, writable_cgroups=True)
    if option == "disable":
        return replace(found, labels=("disable",))
    # "key:value" is what the option looked like before 1.11; "=" wins where both occur.
    key, separator, value = option.partition("=" if "=" in option else ":")
    if not separator:
        raise SystemFailureError(f'invalid --security-opt 1: "{option}"')
    match key:
        case "label":
            return replace(found, labels=(*found.labels, value))
        case "apparmor":
            return replace(found, apparmor=value)
        case "seccomp":
            return replace(found, seccomp=value)
        case "no-new-privileges":
            return replace(found, no_new_privileges=_boolean(option, value))
        case "writable-cgroups":
            return replace(found, writable_cgroups=_boolean(option, value))
        case "systempaths" if value == "unconfined":
            # The docker CLI turns this into empty MaskedPaths and ReadonlyPaths and never sends it; other clients do.
            return replace(found, unconfined_paths=True)
        case "credentialspec":
            raise SystemFailureError(f'invalid --security-opt 2: "{option}": credential specs are for Windows containers')
    raise SystemFailureError(f'invalid --security-opt 2: "{option}"')


def _boolean(option: str, value: str) -> bool:
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise SystemFailureError(f'invalid --security-opt 2: "{option}"')
