"""What lies at a path: ``HEAD /containers/{id}/archive``."""

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
    with grafts(place) as given, naming(name):
        found = await workers.run("stat", {"path": path, "mounts": given.mounts}, fds=given.fds, root=place.root, views=given.views)
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


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Add the container's name to the words of a worker that did not find a file."""
    try:
        yield
    except NotFoundError as error:
        if str(error).startswith("Could not find the file"):
            raise NotFoundError(f"{error} in container {name}") from error
        raise
