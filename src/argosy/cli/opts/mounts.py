"""``--mount``, ``-v`` and ``--tmpfs`` (docker/cli opts/mount.go, container/opts.go)."""

from __future__ import annotations

import os

from argosy.cli.flags.kinds import parse_bool, split_csv
from argosy.cli.opts.error import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_SWITCHES = ("readonly", "ro", "bind-nonrecursive", "volume-nocopy", "read-only")


def mount(text: str) -> dict[str, Any]:
    """Return the API's Mount of ``type=bind,src=/a,dst=/b,readonly``; raises ValueError in docker's words."""
    try:
        fields = split_csv(text)
    except Exception as error:
        raise ValueError(str(error)) from None
    if not fields:
        raise ValueError("value is empty")
    out: dict[str, Any] = {"Type": "volume"}
    options: dict[str, dict[str, Any]] = {}
    for text_ in fields:
        key, equals, value = text_.partition("=")
        key = key.lower()
        if not equals and key not in _SWITCHES:
            raise ValueError(f"invalid field '{text_}' must be a key=value pair")
        if key == "type":
            out["Type"] = value.lower()
        elif key in ("source", "src"):
            out["Source"] = _absolute(value) if value.startswith(".") else value
        elif key in ("target", "dst", "destination"):
            out["Target"] = value
        elif key in ("readonly", "ro"):
            out["ReadOnly"] = _switch(key, value, equals)
        elif key == "consistency":
            out["Consistency"] = value.lower()
        else:
            _option(options, key, value, equals, text_)
    if not out.get("Target"):
        raise ValueError("target is required")
    _check(out, options)
    if bind := options.pop("bind", None):
        _read_only_mode(out, bind)
        options["bind"] = bind
    out.update({f"{kind.capitalize()}Options": value for kind, value in options.items() if value})
    return out


def _switch(key: str, value: str, equals: str) -> bool:
    if not equals:
        return True
    try:
        return parse_bool(value)
    except ValueError:
        raise ValueError(f"invalid value for {key}: {value}") from None


def _option(options: dict[str, dict[str, Any]], key: str, value: str, equals: str, text: str) -> None:
    kind = key.partition("-")[0]
    of = options.setdefault(kind, {}) if kind in ("bind", "volume", "tmpfs", "image") else {}
    if key == "bind-propagation":
        of["Propagation"] = value.lower()
    elif key == "bind-nonrecursive":
        of["NonRecursive"] = _switch(key, value, equals)
    elif key == "bind-recursive":
        of["recursive"] = value
    elif key == "bind-create-src":
        of["CreateMountpoint"] = _switch(key, value, equals)
    elif key in ("volume-subpath", "image-subpath"):
        of["Subpath"] = value
    elif key == "volume-nocopy":
        of["NoCopy"] = _switch(key, value, equals)
    elif key == "volume-label":
        name, _, label = value.partition("=")
        of.setdefault("Labels", {})[name] = label
    elif key == "volume-driver":
        of.setdefault("DriverConfig", {})["Name"] = value
    elif key == "volume-opt":
        name, _, option = value.partition("=")
        of.setdefault("DriverConfig", {}).setdefault("Options", {})[name] = option
    elif key == "tmpfs-size":
        of["SizeBytes"] = _bytes(key, value)
    elif key == "tmpfs-mode":
        if not value or set(value) - set("01234567"):
            raise ValueError(f"invalid value for {key}: {value}")
        of["Mode"] = int(value, 8)
    else:
        raise ValueError(f"unexpected key '{key}' in '{text}'")


def _bytes(key: str, value: str) -> int:
    from argosy.cli.flags.kinds import parse_bytes

    try:
        return parse_bytes(value)
    except ValueError:
        raise ValueError(f"invalid value for {key}: {value}") from None


def _check(out: dict[str, Any], options: dict[str, dict[str, Any]]) -> None:
    kind = out["Type"]
    for other in ("volume", "bind", "tmpfs", "image"):
        if other in options and kind != other:
            raise ValueError(f"cannot mix '{other}-*' options with mount type '{kind}'")


def _read_only_mode(out: dict[str, Any], bind: dict[str, Any]) -> None:
    """``bind-recursive``: how mounts below the source are treated."""
    match bind.pop("recursive", ""):
        case "" | "enabled":
            return
        case "disabled":
            bind["NonRecursive"] = True
        case "writable":
            bind["ReadOnlyNonRecursive"] = True
        case "readonly":
            bind["ReadOnlyForceRecursive"] = True
            if not out.get("ReadOnly"):
                raise ValueError("option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction")
            if bind.get("Propagation") != "rprivate":
                raise ValueError("option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction")
        case other:
            raise ValueError(f'invalid value for bind-recursive: {other} (must be "enabled", "disabled", "writable", or "readonly")')


def volumes(specs: Iterable[str]) -> tuple[list[str], dict[str, dict[str, str]]]:
    """Return Binds and anonymous Volumes of ``-v``; a source that begins with a dot is made absolute. Raises OptionError."""
    binds: list[str] = []
    anonymous: dict[str, dict[str, str]] = {}
    for spec in specs:
        parts = spec.split(":")
        if len(parts) > 3:
            raise OptionError(f"invalid spec: {spec}: too many colons")
        if not spec or (len(parts) > 1 and not parts[0]):
            raise OptionError(f"invalid spec: {spec}: empty section between colons" if spec else "invalid empty volume spec")
        if len(parts) == 1:
            anonymous[spec] = {}
            continue
        source = _absolute(parts[0]) if parts[0].startswith(".") else parts[0]
        binds.append(":".join((source, *parts[1:])))
    return binds, anonymous


def _absolute(path: str) -> str:
    return os.path.abspath(path)


def tmpfs(specs: Iterable[str]) -> dict[str, str]:
    """Return Tmpfs of ``/run:size=64m``."""
    return {path: options for path, _, options in (spec.partition(":") for spec in specs)}
