"""What lies at a path: ``HEAD /containers/{id}/archive``."""

import base64
from collections.abc import Mapping
from typing import Any

import msgspec

from argosy.base.clock import rfc3339_nano
from argosy.base.errors import NotFoundError
from argosy.engine.copy.place import Place, grafts
from argosy.storage.ports import Workers


async def stat_path(workers: Workers, place: Place, path: str, *, name: str) -> dict[str, Any]:
    """Return name, size, mode (Go's os.FileMode bits), mtime and linkTarget, the content of ``X-Docker-Container-Path-Stat``.

    Raises NotFoundError ``Could not find the file /x in container y``, y being what the client called it.
    """
    with grafts(place) as (fds, mounts), naming(name):
        found = await workers.run("stat", {"path": path, "mounts": mounts}, fds=fds, root=place.root)
    return {
        "name": found["name"],
        "size": found["size"],
        "mode": found["mode"],
        "mtime": rfc3339_nano(found["mtime_ns"]),
        "linkTarget": found["linkTarget"],
    }


def encode_stat(stat: Mapping[str, Any]) -> str:
    """Return the value of the header: base64 of the JSON."""
    return base64.b64encode(msgspec.json.encode(stat)).decode()


class naming:  # noqa: N801 - used as a statement
    """Adds the container's name to the words of a NotFoundError."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, NotFoundError) and str(error).startswith("Could not find the file"):
            raise NotFoundError(f"{error} in container {self._name}") from error
