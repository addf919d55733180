"""Device nodes and the device cgroup: defaults, ``--device``, ``--device-cgroup-rule``, everything when privileged."""

import os
import re
import stat
from collections.abc import Callable, Sequence
from typing import Any

from argosy.base.errors import SystemFailureError
from argosy.engine.cdi.names import is_qualified
from argosy.engine.model import Device, HostConfig
from argosy.engine.spec import defaults

Lister = Callable[[str], list[dict[str, Any]]]
"""Host path → the OCI device entries found there (one for a node, several for a directory). Raises SystemFailureError."""

_RULE = re.compile(r"([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})\Z")


def devices(host: HostConfig, lister: Lister) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return (``linux.devices``, ``linux.resources.devices``)."""
    if host.privileged:
        return lister("/dev"), [defaults.ALL_DEVICES]
    nodes: list[dict[str, Any]] = []
    rules = list(defaults.DEVICE_RULES)
    for device in host.devices or ():
        if is_qualified(device.path_on_host):
            continue  # a vendor's files say what it is
        for node in _mapped(device, lister):
            nodes.append(node)
            rules.append(
                {
                    "allow": True,
                    "type": node["type"],
                    "major": node["major"],
                    "minor": node["minor"],
                    "access": device.cgroup_permissions or "rwm",
                }
            )
    rules.extend(parse_rule(text) for text in host.device_cgroup_rules or ())
    return nodes, rules


def _mapped(device: Device, lister: Lister) -> Sequence[dict[str, Any]]:
    target = device.path_in_container or device.path_on_host
    found = lister(device.path_on_host)
    return [{**node, "path": target + node["path"][len(device.path_on_host) :]} for node in found]


def parse_rule(text: str) -> dict[str, Any]:
    """Return the OCI rule of ``c 1:3 mr`` (``*`` for any number). Raises SystemFailureError (moby ``daemon/oci_utils.go``)."""
    match = _RULE.match(text)
    if match is None:
        raise SystemFailureError(f"invalid device cgroup rule format: '{text}'")
    kind, major, minor, access = match.groups()
    rule: dict[str, Any] = {"allow": True, "type": kind, "access": access}
    if major != "*":
        rule["major"] = int(major)
    if minor != "*":
        rule["minor"] = int(minor)
    return rule


def list_host_devices(path: str) -> list[dict[str, Any]]:
    """Return the device nodes at or below a host path, as runc's ``devices.GetDevices`` (pts, shm, fd, mqueue are left out)."""
    try:
        info = os.stat(path)
    except FileNotFoundError as error:
        raise SystemFailureError(
            f'error gathering device information while adding custom device "{path}": no such file or directory'
        ) from error
    if not stat.S_ISDIR(info.st_mode):
        if not (stat.S_ISCHR(info.st_mode) or stat.S_ISBLK(info.st_mode)):
            raise SystemFailureError(f'error gathering device information while adding custom device "{path}": not a device node')
        return [_node(path, info)]
    found = []
    with os.scandir(path) as entries:
        for entry in sorted(entries, key=lambda item: item.name):
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in ("pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev"):
                    found.extend(list_host_devices(entry.path))
            elif entry.name != "console":
                info = entry.stat(follow_symlinks=False)
                if stat.S_ISCHR(info.st_mode) or stat.S_ISBLK(info.st_mode):
                    found.append(_node(entry.path, info))
    return found


def _node(path: str, info: os.stat_result) -> dict[str, Any]:
    return {
        "path": path,
        "type": "c" if stat.S_ISCHR(info.st_mode) else "b",
        "major": os.major(info.st_rdev),
        "minor": os.minor(info.st_rdev),
        "fileMode": stat.S_IMODE(info.st_mode),
        "uid": info.st_uid,
        "gid": info.st_gid,
    }


def device_number(path: str) -> tuple[int, int]:
    """Return (major, minor) of a block device node. Raises SystemFailureError."""
    try:
        info = os.stat(path)
    except OSError as error:
        raise SystemFailureError(f"stat {path}: {(error.strerror or '').lower()}") from error
    return os.major(info.st_rdev), os.minor(info.st_rdev)
