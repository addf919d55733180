"""``HostConfig`` on the wire, with every field that Docker shows, in its order and with its nulls."""

from collections.abc import Iterable
from typing import Any

import msgspec

from argosy.engine.model import HostConfig, Mount
from argosy.schema.names import wire_name

_OMITTED_WHEN_EMPTY = frozenset(("annotations", "storage_opt", "tmpfs", "sysctls", "mounts", "init", "kernel_memory", "kernel_memory_tcp"))
_TAIL = ("mounts", "masked_paths", "readonly_paths", "init")


def _order() -> list[tuple[str, str]]:
    """HostConfig's own fields come first, then Resources', then the tail, as in Docker's nested types."""
    names = [field.name for field in msgspec.structs.fields(HostConfig)]
    start = names.index("binds")
    own = [name for name in names[start:] if name not in _TAIL]
    return [(name, wire_name(name)) for name in (*own, *names[:start], *_TAIL)]


_ORDER = _order()


def host_config(host: HostConfig, version: int) -> dict[str, Any]:
    """Return ``HostConfig`` of container inspect."""
    wire: dict[str, Any] = {}
    for name, key in _ORDER:
        value = getattr(host, name)
        if not value and name in _OMITTED_WHEN_EMPTY and value is not False:
            continue
        if name == "kernel_memory_tcp" and version >= 52:
            continue
        wire[key] = _value(name, value)
    return wire


def _value(name: str, value: Any) -> Any:
    if name == "port_bindings":
        return {port: _bindings(bindings) for port, bindings in (value or {}).items()}
    if name == "mounts":
        return [mount(one) for one in value]
    return plain(value)


def _bindings(bindings: Iterable[Any] | None) -> list[dict[str, str]] | None:
    return None if bindings is None else [{"HostIp": b.host_ip, "HostPort": b.host_port} for b in bindings]


def plain(value: Any) -> Any:
    """Return structs as dictionaries with the API's names, tuples as lists."""
    if isinstance(value, msgspec.Struct):
        return {wire_name(name): plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value


def mount(one: Mount) -> dict[str, Any]:
    """Return one entry of ``HostConfig.Mounts``: empty fields are left out, options are there if they were given."""
    wire: dict[str, Any] = {}
    for name in one.__struct_fields__:
        value = getattr(one, name)
        if isinstance(value, msgspec.Struct):
            wire[wire_name(name)] = {k: v for k, v in plain(value).items() if v not in (None, "", 0, False)}
        elif value not in (None, "", False):
            wire[wire_name(name)] = value
    return wire
