"""Volumes on the wire."""

from typing import Any

from argosy.base.clock import rfc3339_nano
from argosy.storage.model import VolumeView


def volume(view: VolumeView) -> dict[str, Any]:
    """Return one volume; its time has whole seconds, as Docker's."""
    return {
        "CreatedAt": rfc3339_nano(view.created // 10**9 * 10**9),
        "Driver": view.driver,
        "Labels": dict(view.labels) or None,
        "Mountpoint": view.mountpoint,
        "Name": view.name,
        "Options": dict(view.options) or None,
        "Scope": "local",
    }
