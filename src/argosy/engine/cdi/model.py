"""What a CDI file says; unknown fields are passed over, as the specification's own library does for later versions."""

from collections.abc import Mapping

import msgspec


class _Words(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Names as the files write them."""


class DeviceNode(_Words, frozen=True):
    path: str
    host_path: str = ""
    type: str = ""
    major: int | None = None
    minor: int | None = None
    file_mode: int | None = None
    permissions: str = ""
    uid: int | None = None
    gid: int | None = None


class Mount(_Words, frozen=True):
    host_path: str
    container_path: str
    options: tuple[str, ...] = ()
    type: str = ""


class Hook(_Words, frozen=True):
    hook_name: str
    path: str
    args: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    timeout: int | None = None


class Edits(_Words, frozen=True):
    env: tuple[str, ...] = ()
    device_nodes: tuple[DeviceNode, ...] = ()
    mounts: tuple[Mount, ...] = ()
    hooks: tuple[Hook, ...] = ()
    additional_gids: tuple[int, ...] = msgspec.field(default=(), name="additionalGids")


class Device(_Words, frozen=True):
    name: str
    annotations: Mapping[str, str] = {}
    container_edits: Edits = Edits()


class File(_Words, frozen=True):
    cdi_version: str = msgspec.field(name="cdiVersion")
    kind: str
    devices: tuple[Device, ...]
    annotations: Mapping[str, str] = {}
    container_edits: Edits = Edits()
