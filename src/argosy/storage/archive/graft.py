"""Mounts of a stopped container, attached for the length of a job in the worker's own mount namespace."""

from __future__ import annotations

import os
import stat

from argosy.linux import mount

_PLACE = os.O_PATH | os.O_CLOEXEC


def attach(fd: int, path: bytes) -> None:
    """Attach the detached mount ``fd`` at ``path`` of the current root; a place that is missing is made, as a start would."""
    target = b"/" + path.lstrip(b"/")
    if not os.path.exists(target):
        _make(target, stat.S_ISDIR(os.fstat(fd).st_mode))
    place = os.open(target, _PLACE)
    try:
        mount.attach(fd, place)
    finally:
        os.close(place)


def _make(target: bytes, directory: bool) -> None:
    if directory:
        os.makedirs(target, 0o755)
        return
    os.makedirs(os.path.dirname(target), 0o755, exist_ok=True)
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))
