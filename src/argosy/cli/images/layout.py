"""An OCI layout of the client's, loaded as an image."""

from __future__ import annotations

import os

from argosy.cli.archive.pack import pack, walk
from argosy.cli.errors import ExitError
from argosy.cli.session import Session
from argosy.client import images


def loaded(session: Session, directory: str, what: str) -> str:
    """Return the name of the image that the daemon now has, an id where it has none. ``what`` names it in errors. Raises ExitError."""
    if not os.path.isfile(os.path.join(directory, "index.json")):
        raise ExitError(1, f"{what}: {directory} is not an OCI layout (it has no index.json): unpack what argosy save writes there")
    name = ""
    for event in session.stream(images.load(pack(walk(directory), anonymous=True), quiet=True)):
        for front in ("Loaded image ID: ", "Loaded image: "):
            if (line := str(event.get("stream", "")).strip()).startswith(front):
                name = line.removeprefix(front)
    if not name:
        raise ExitError(1, f"{what}: {directory} holds no image")
    return name
