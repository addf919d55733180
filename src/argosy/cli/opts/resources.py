"""Devices, rates, ulimits, GPUs and restart policies."""

from __future__ import annotations

from argosy.cli.flags.kinds import parse_bytes, split_csv
from argosy.cli.opts.error import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_ULIMITS = frozenset(
    (
        *("core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime"),
        *("sigpending", "stack"),
    )
)


def ulimit(text: str) -> dict[str, Any]:
    """Return the API's Ulimit of ``nofile=1024:2048`` (go-units ParseUlimit); raises ValueError."""
    name, equals, values = text.partition("=")
    if not equals:
        raise ValueError(f"invalid ulimit argument: {text}")
    if name not in _ULIMITS:
        raise ValueError(f"invalid ulimit type: {name}")
    numbers = values.split(":")
    if len(numbers) > 2:
        raise ValueError(f"too many limit value arguments - {values}, can only have up to two, `soft[:hard]`")
    parsed = []
    for number in numbers:
        if not number.removeprefix("-").isdecimal():
            raise ValueError(f'strconv.ParseInt: parsing "{number}": invalid syntax')
        parsed.append(int(number))
    soft, hard = parsed[0], parsed[-1]
    if hard != -1:
        if soft == -1:
            raise ValueError(f"ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: {hard}")
        if soft > hard:
            raise ValueError(f"ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}")
    return {"Name": name, "Soft": soft, "Hard": hard}


def weight_device(text: str) -> dict[str, Any]:
    """Return ``/dev/sda:500``; raises ValueError."""
    path, colon, weight = text.partition(":")
    if not colon or not weight:
        raise ValueError(f"bad format: {text}")
    if not path.startswith("/dev/"):
        raise ValueError(f"bad format for device path: {text}")
    if not weight.isdecimal() or not (int(weight) == 0 or 10 <= int(weight) <= 1000):
        raise ValueError(f"invalid weight for device: {text}")
    return {"Path": path, "Weight": int(weight)}


def rate_bytes(text: str) -> dict[str, Any]:
    form = "<device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb"
    return _rate(text, parse_bytes, form)


def rate_count(text: str) -> dict[str, Any]:
    def number(value: str) -> int:
        if not (value.isdecimal() and value.isascii()):
            raise ValueError(value)
        return int(value)

    return _rate(text, number, "<device-path>:<number>. Number must be a positive integer")


def _rate(text: str, parse: Callable[[str], int], form: str) -> dict[str, Any]:
    path, colon, rate = text.partition(":")
    if not colon or not rate:
        raise ValueError(f"bad format: {text}")
    if not path.startswith("/dev/"):
        raise ValueError(f"bad format for device path: {text}")
    try:
        return {"Path": path, "Rate": parse(rate)}
    except ValueError:
        raise ValueError(f"invalid rate for device: {text}. The correct format is {form}") from None


def device_rule(text: str) -> str:
    """Check ``c 1:3 rwm``; raises ValueError."""
    import re

    if re.fullmatch(r"[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}", text) is None:
        raise ValueError(f"invalid device cgroup format '{text}'")
    return text


def device(text: str) -> dict[str, str]:
    """Return the API's DeviceMapping of ``/dev/a[:/dev/b][:rwm]``. Raises OptionError."""
    source, *rest = text.split(":")
    inside, mode = source, "rwm"
    if len(rest) > 2 or not source:
        raise OptionError(f"invalid device specification: {text}")
    if len(rest) == 1 and _is_mode(rest[0]):
        mode = rest[0]
    elif rest:
        inside = rest[0]
        mode = rest[1] if len(rest) == 2 else mode
    if not inside.startswith("/"):
        raise OptionError(f"{inside} is not an absolute path")
    if not _is_mode(mode):
        raise OptionError(f"bad mode specified: {mode}")
    return {"PathOnHost": source, "PathInContainer": inside, "CgroupPermissions": mode}


def validate_device(text: str) -> str:
    """docker's ValidateDevice, which sees the flags before `device` does. Raises OptionError."""
    parts = text.split(":")
    if len(parts) > 3:
        raise OptionError(f"bad format for path: {text}")
    if len(parts) == 3 and not _is_mode(parts[2]):
        raise OptionError(f"bad mode specified: {parts[2]}")
    if len(parts) > 1 and not _is_mode(parts[1]) and not parts[1].startswith("/"):
        raise OptionError(f"{parts[1]} is not an absolute path")
    return text


def _is_mode(text: str) -> bool:
    return bool(text) and set(text) <= set("rwm") and len(set(text)) == len(text)


def is_cdi(text: str) -> bool:
    """A device by its name in the Container Device Interface: ``vendor.com/class=name``."""
    kind, equals, name = text.partition("=")
    return bool(equals and name) and not text.startswith("/") and "/" in kind


def gpus(text: str) -> dict[str, Any]:
    """Return the API's DeviceRequest of ``all``, ``2`` or ``device=0,capabilities=utility``; raises ValueError."""
    request: dict[str, Any] = {"Driver": "", "Count": 0, "DeviceIDs": [], "Capabilities": [["gpu"]], "Options": {}}
    for field in split_csv(text):
        key, equals, value = field.partition("=")
        if not equals:
            key, value = "count", key
        if key == "count":
            request["Count"] = _gpu_count(value)
        elif key == "device":
            request["DeviceIDs"] = value.split(",")
        elif key == "driver":
            request["Driver"] = value
        elif key == "capabilities":
            request["Capabilities"] = [["gpu", *(name for name in value.split(",") if name != "gpu")]]
        elif key == "options":
            request["Options"] = dict(option.partition("=")[::2] for option in split_csv(value))
        else:
            raise ValueError(f"unexpected key '{key}' in '{field}'")
    if not request["DeviceIDs"] and not request["Count"]:
        request["Count"] = 1
    return request


def _gpu_count(text: str) -> int:
    if text == "all":
        return -1
    if not text.removeprefix("-").isdecimal():
        raise ValueError(f'invalid count ({text}): value must be either "all" or an integer: invalid syntax')
    return int(text)


def restart_policy(text: str) -> dict[str, Any]:
    """Return the API's RestartPolicy of ``on-failure:3``. Raises OptionError."""
    if not text:
        return {}
    name, colon, count = text.partition(":")
    if not name:
        raise OptionError("invalid restart policy format: no policy provided before colon")
    if ":" in count:
        raise OptionError("invalid restart policy format: maximum retry count must be an integer")
    if colon and not count.removeprefix("-").isdecimal():
        raise OptionError("invalid restart policy format: maximum retry count must be an integer")
    return {"Name": name, "MaximumRetryCount": int(count or 0)}
