"""The steps of a start, each a value that can say what it will do (`describe`) and do it (`execute`).

They are built from the plan before the child enters the container, with every string already encoded.
"""

import os

from argosy.runtime.init.context import Context
from argosy.runtime.init.operations import devices, identity, mounts, paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Protocol

    class Operation(Protocol):
        stage: str

        def describe(self) -> str: ...

        def execute(self, context: Context) -> None: ...


KINDS: "dict[str, Callable[..., Operation]]" = {
    "propagation": mounts.Propagation,
    "attach_root": mounts.AttachRoot,
    "filesystem": mounts.Filesystem,
    "bind": mounts.Bind,
    "legacy_cgroups": mounts.LegacyCgroups,
    "root_readonly": mounts.RootReadOnly,
    "pivot": mounts.Pivot,
    "device": devices.Device,
    "link": devices.Link,
    "terminal": devices.Terminal,
    "mask": paths.Mask,
    "read_only": paths.ReadOnly,
    "sysctl": paths.Sysctl,
    "make_directory": paths.MakeDirectory,
    "working_directory": paths.WorkingDirectory,
    "await": identity.Await,
    "map_root": identity.MapRoot,
    "hooks": identity.AskForHooks,
    "new_cgroup_namespace": identity.NewCgroupNamespace,
    "hostname": identity.Hostname,
    "domainname": identity.Domainname,
    "keyring": identity.Keyring,
    "limit": identity.Limit,
    "personality": identity.Personality,
    "scheduler": identity.Scheduler,
    "user": identity.FindUser,
}


def build(steps: "Iterable[tuple[str, dict[str, Any]]]") -> "list[Operation]":
    """Return the operations of a plan's steps; text becomes bytes here. Raises KeyError on an unknown step."""
    return [KINDS[name](**{key: _encoded(value) for key, value in fields.items()}) for name, fields in steps]


def _encoded(value: "Any") -> "Any":
    if isinstance(value, str):
        return os.fsencode(value)
    if isinstance(value, list):
        return tuple(_encoded(item) for item in value)
    return value
