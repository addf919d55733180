"""What every container finds in its root even if the image lacks it: the places that the runtime mounts over.

They lie in a layer of their own between the image and the container, so that neither ``diff`` nor ``commit`` shows them
(moby ``initlayer.Setup``).
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_DIRECTORIES = ("/proc", "/sys", "/dev", "/dev/pts", "/dev/shm", "/etc")
_FILES = ("/.dockerenv", "/etc/resolv.conf", "/etc/hosts", "/etc/hostname", "/dev/console")
_LINKS = (("/etc/mtab", "/proc/mounts"),)


def make() -> None:
    """Create what is missing in the current root; what the image has, of whatever kind, stays."""
    os.umask(0o022)
    for path in _DIRECTORIES:
        _attempt(os.mkdir, path)
    for path in _FILES:
        _attempt(_touch, path)
    for path, target in _LINKS:
        _attempt(os.symlink, target, path)


def make_places(directories: Sequence[str], files: Sequence[str]) -> None:
    """Create what is missing of the places that something will be mounted over, with their parents. Raises OSError."""
    os.umask(0o022)
    for path in directories:
        os.makedirs(path, exist_ok=True)
    for path in files:
        os.makedirs(os.path.dirname(path) or "/", exist_ok=True)
        if not os.path.lexists(path):
            _touch(path)


def _touch(path: str) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, 0o755))


def _attempt(function: Callable[..., None], *args: str) -> None:
    try:
        function(*args)
    except OSError:
        # An image whose /etc is a dangling link is its own business; the runtime looks again when it mounts.
        return
