"""Containers on the wire: inspect and list, each encoded once for a generation and a shape of the API."""

import secrets
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import msgspec

from argosy.api.convert.config import container_config
from argosy.api.convert.endpoints import links, network_settings, networks, port_list
from argosy.api.convert.host_config import host_config
from argosy.api.convert.status import status_text
from argosy.api.versions import shape
from argosy.base.clock import rfc3339_nano
from argosy.engine.container_view import ContainerView
from argosy.engine.model import Health, MountPoint, State, Status

_UP = (Status.RUNNING, Status.PAUSED, Status.RESTARTING)
_STATUS_MARK = secrets.token_hex(16)
"""Stands for the status text in a cached encoding; random, so that no label can contain it."""
_ENCODED_MARK = msgspec.json.encode(_STATUS_MARK)


def mount_point(point: MountPoint) -> dict[str, Any]:
    wire: dict[str, Any] = {"Type": point.type}
    if point.name:
        wire["Name"] = point.name
    wire |= {"Source": point.source, "Destination": point.destination}
    if point.driver:
        wire["Driver"] = point.driver
    return wire | {"Mode": point.mode, "RW": point.rw, "Propagation": point.propagation}


def health(value: Health) -> dict[str, Any]:
    return {
        "Status": value.status,
        "FailingStreak": value.failing_streak,
        "Log": [
            {"Start": rfc3339_nano(entry.start), "End": rfc3339_nano(entry.end), "ExitCode": entry.exit_code, "Output": entry.output}
            for entry in value.log
        ],
    }


def state(value: State) -> dict[str, Any]:
    """Return ``State`` of inspect."""
    wire: dict[str, Any] = {
        "Status": value.status,
        "Running": value.status in _UP,
        "Paused": value.status is Status.PAUSED,
        "Restarting": value.status is Status.RESTARTING,
        "OOMKilled": value.oom_killed,
        "Dead": value.status is Status.DEAD,
        "Pid": value.pid,
        "ExitCode": value.exit_code,
        "Error": value.error,
        "StartedAt": rfc3339_nano(value.started_at),
        "FinishedAt": rfc3339_nano(value.finished_at),
    }
    if value.health is not None:
        wire["Health"] = health(value.health)
    return wire


def inspect(view: ContainerView, version: int) -> dict[str, Any]:
    """Return ``GET /containers/{id}/json``."""
    spec, paths = view.spec, view.paths
    wire: dict[str, Any] = {
        "Id": spec.id,
        "Created": rfc3339_nano(spec.created),
        "Path": spec.path,
        "Args": list(spec.args),
        "State": state(view.state),
        "Image": spec.image_id,
        "ResolvConfPath": paths.get("resolv_conf", ""),
        "HostnamePath": paths.get("hostname", ""),
        "HostsPath": paths.get("hosts", ""),
        "LogPath": paths.get("log", ""),
        "Name": "/" + spec.name,
        "RestartCount": view.state.restart_count,
        "Driver": view.graph_driver,
        "Platform": spec.platform,
    }
    if view.image_manifest and version >= 48:
        wire["ImageManifestDescriptor"] = dict(view.image_manifest)
    wire |= {
        "MountLabel": spec.mount_label,
        "ProcessLabel": spec.process_label,
        "AppArmorProfile": view.apparmor,
        "ExecIDs": list(view.exec_ids) or None,
        "HostConfig": host_config(spec.host, version) | links(spec),
        "GraphDriver": {"Data": dict(view.graph_data) or None, "Name": view.graph_driver},
    }
    if view.size_rw is not None:
        wire["SizeRw"] = view.size_rw
    if view.size_root_fs is not None:
        wire["SizeRootFs"] = view.size_root_fs
    return wire | {
        "Mounts": [mount_point(point) for point in spec.mounts],
        "Config": container_config(spec.config, version),
        "NetworkSettings": network_settings(view, version),
    }


def command_line(path: str, args: Sequence[str]) -> str:
    """Return ``Command`` of list: arguments with a space are quoted."""
    return " ".join((path, *(f"'{arg}'" if " " in arg else arg for arg in args)))


def summary(view: ContainerView, version: int, status: str) -> dict[str, Any]:
    """Return one entry of ``GET /containers/json``."""
    spec = view.spec
    wire: dict[str, Any] = {
        "Id": spec.id,
        "Names": ["/" + spec.name],
        "Image": view.image_name,
        "ImageID": spec.image_id,
        "Command": command_line(spec.path, spec.args),
        "Created": spec.created // 10**9,
        "Ports": port_list(view.ports) if view.state.status in (Status.RUNNING, Status.PAUSED) else [],
    }
    if view.image_manifest and version >= 48:
        wire["ImageManifestDescriptor"] = dict(view.image_manifest)
    if view.size_rw:
        wire["SizeRw"] = view.size_rw
    if view.size_root_fs:
        wire["SizeRootFs"] = view.size_root_fs
    wire |= {"Labels": dict(spec.config.labels or {}), "State": view.state.status, "Status": status}
    shown: dict[str, Any] = {"NetworkMode": spec.host.network_mode}
    if spec.host.annotations and version >= 46:
        shown["Annotations"] = dict(spec.host.annotations)
    wire |= {"HostConfig": shown, "NetworkSettings": {"Networks": networks(view)}}
    if version >= 52 and view.state.health is not None:
        wire["Health"] = {"Status": view.state.health.status, "FailingStreak": view.state.health.failing_streak}
    return wire | {"Mounts": [mount_point(point) for point in spec.mounts]}


class Encodings:
    """Encoded containers by id, generation and shape; the text of ``Status`` changes with time and is put in at the end."""

    def __init__(self, capacity: int = 4096) -> None:
        self._capacity = capacity
        self._inspect: OrderedDict[tuple[str, int], tuple[int, bytes]] = OrderedDict()
        self._summary: OrderedDict[tuple[str, int], tuple[int, bytes, bytes]] = OrderedDict()

    def inspect(self, view: ContainerView, version: int) -> bytes:
        if view.size_rw is not None:
            return msgspec.json.encode(inspect(view, version)) + b"\n"
        key = (view.spec.id, shape(version))
        known = self._inspect.get(key)
        if known is not None and known[0] == view.generation:
            return known[1]
        encoded = msgspec.json.encode(inspect(view, version)) + b"\n"
        self._inspect[key] = (view.generation, encoded)
        self._trim(self._inspect)
        return encoded

    def summaries(self, views: Sequence[ContainerView], version: int, now_ns: int) -> bytes:
        parts = [self._one(view, version, now_ns) for view in views]
        return b"[" + b",".join(parts) + b"]\n"

    def _one(self, view: ContainerView, version: int, now_ns: int) -> bytes:
        if view.size_rw is not None:
            return msgspec.json.encode(summary(view, version, status_text(view.state, now_ns)))
        key = (view.spec.id, shape(version))
        known = self._summary.get(key)
        if known is None or known[0] != view.generation:
            head, _, tail = msgspec.json.encode(summary(view, version, _STATUS_MARK)).partition(_ENCODED_MARK)
            known = self._summary[key] = (view.generation, head, tail)
            self._trim(self._summary)
        return b'%b"%b"%b' % (known[1], status_text(view.state, now_ns).encode(), known[2])

    def _trim(self, cache: OrderedDict[Any, Any]) -> None:
        while len(cache) > self._capacity:
            cache.popitem(last=False)
