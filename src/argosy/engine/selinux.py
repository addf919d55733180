"""Which SELinux labels a container gets. Pure (moby ``daemon/create.go: generateSecurityOpt``, go-selinux ``label.InitLabels``).

A label is ``user:role:type:level``. The type says what kind of thing a process or file is, and the policy what kinds may do to each
other; the level ``s0:cX,cY`` keeps containers, which are all of one kind, from each other: a process reaches only files whose
categories it holds itself. A container's processes and files have a level that no other container has.
"""

import random
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from argosy.base.errors import InvalidParameterError, SystemFailureError
from argosy.engine.model import HostConfig

CATEGORIES = 1024
SHARED_LEVEL = "s0"
_PRIVATE = f"s0:c{CATEGORIES - 2},c{CATEGORIES - 1}"
"""Of the files of containers without a process label: nobody else's, though their processes may read all."""
_KINDS = ("user", "role", "type", "level", "filetype")
_DISABLE = "label=disable"


class Context(NamedTuple):
    user: str
    role: str
    type: str
    level: str = ""
    """Empty where the policy has no levels."""

    def __str__(self) -> str:
        return ":".join(part for part in self if part)


class Labels(NamedTuple):
    """Empty: the kernel's own choice."""

    process: str = ""
    mount: str = ""
    """Of all that the container's mounts show."""


class Policy(NamedTuple):
    """What the machine's policy calls a container's processes and files, before they have a level of their own."""

    process: Context
    file: Context
    layers: Context
    """What all containers may read and run, and none may write: images below the mounts that show them."""


def context(label: str) -> Context | None:
    """Return the parts of a label, None if it is none."""
    parts = label.split(":", 3)
    return Context(*parts) if len(parts) >= 3 and all(parts) else None


def policy(contexts: str) -> Policy | None:
    """Read ``/etc/selinux/TYPE/contexts/lxc_contexts``; None when it does not say what containers are."""
    found = {}
    for line in contexts.splitlines():
        key, equals, value = line.partition("=")
        if equals and not key.lstrip().startswith(("#", ";")):
            found[key.strip()] = context(value.strip().strip('"'))
    process, file = found.get("process"), found.get("file")
    return Policy(process, file, found.get("ro_file") or file) if process and file else None


def shared_options(host: HostConfig, label_of: Callable[[str], str]) -> tuple[str, ...]:
    """Return what Docker adds to ``SecurityOpt``: whoever sees the host's processes or memory has no label, and whoever shares
    another container's has that one's. ``label_of`` gives a container's process label. Raises InvalidParameterError."""
    # The older form `label:…` is not seen here, as by Docker.
    if any(option.startswith("label=") for option in host.security_opt or ()):
        return ()
    if host.privileged or "host" in (host.ipc_mode, host.pid_mode):
        return (_DISABLE,)
    modes = (host.ipc_mode, host.pid_mode)
    sharing = [_same_options(label_of(mode.partition(":")[2])) for mode in modes if mode.startswith("container:")]
    if len(sharing) == 2 and all(sharing) and sharing[0] != sharing[1]:
        raise InvalidParameterError("--ipc and --pid containers SELinux labels aren't the same")
    return next((options for options in sharing if options), ())


def _same_options(label: str) -> tuple[str, ...]:
    found = context(label)
    if found is None:
        return ()
    named = (("user", found.user), ("role", found.role), ("type", found.type), ("level", found.level))
    return tuple(f"label={kind}:{value}" for kind, value in named if value)


def choose(options: Sequence[str], found: Policy, taken: Collection[str], rng: random.Random) -> Labels:
    """Return the labels of a new container with these ``label=`` options; ``taken``: the process labels of all others.

    Raises SystemFailureError for an option that is none.
    """
    process, file = found.process, found.file
    if process.level:
        level = free_level({label.level for label in map(context, taken) if label}, rng)
        process, file = process._replace(level=level), file._replace(level=level)
    for option in options:
        if option == "disable":
            return Labels("", str(file._replace(level=_PRIVATE) if file.level else file))
        kind, value = _parsed(option)
        if kind == "filetype":
            file = file._replace(type=value)
            continue
        process = process._replace(**{kind: value})
        if kind in ("user", "level"):
            file = file._replace(**{kind: value})
    return Labels(str(process), str(file))


def _parsed(option: str) -> tuple[str, str]:
    kind, colon, value = option.partition(":")
    if not colon:
        raise SystemFailureError(
            f"bad label option \"{option}\", valid options 'disable' or \n'user, role, level, type, filetype' followed by ':' and a value"
        )
    if kind not in _KINDS:
        raise SystemFailureError(f"bad label option \"{kind}\", valid options 'disable, user, role, level, type, filetype'")
    return kind, value


def free_level(taken: Collection[str], rng: random.Random) -> str:
    """Return a pair of categories, the smaller one first, that is not in ``taken``. Raises SystemFailureError when all are."""
    if len(taken) >= CATEGORIES * (CATEGORIES - 1) // 2 - 1:
        raise SystemFailureError("no SELinux categories are left: every pair belongs to a container")
    while True:
        first, second = sorted(rng.sample(range(CATEGORIES), 2))
        level = f"s0:c{first},c{second}"
        if level not in taken and level != _PRIVATE:
            return level


def file_label(mount_label: str, *, shared: bool) -> str:
    """Return the label for files that are given to the container: its own (``:Z``), or one that every container may use (``:z``)."""
    found = context(mount_label)
    return str(found._replace(level=SHARED_LEVEL)) if shared and found and found.level else mount_label


def relabelling(mode: str) -> str:
    """Return ``z`` (shared), ``Z`` (private) or nothing: what a mount's mode asks for; where both are there, ``z`` wins."""
    words = mode.split(",")
    return "z" if "z" in words else "Z" if "Z" in words else ""
