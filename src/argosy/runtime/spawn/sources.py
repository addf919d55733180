"""What the parent opens with the host's rights before the child exists: the root and the bind mounts, all detached."""

import os

from argosy.linux import mount, overlay
from argosy.linux.syscall import AT_FDCWD, SyscallError
from argosy.runtime.spawn.failure import SpawnFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def open_root(root: "Mapping[str, Any]") -> int:
    """Return the fd of the container's root, mounted nowhere yet. Raises SpawnFailed."""
    try:
        if root["kind"] == "directory":
            fd = mount.clone_tree(AT_FDCWD, os.fsencode(root["path"]), recursive=True)
            mount.set_attributes(fd, propagation=mount.MS_PRIVATE, recursive=True)
            return fd
        return overlay.open_overlay(
            tuple(os.fsencode(path) for path in root["lower"]),
            os.fsencode(root["upper"]),
            os.fsencode(root["work"]),
            lowerdir_plus=root["lowerdir_plus"],
        )
    except (OSError, ValueError) as error:
        raise SpawnFailed(getattr(error, "errno", 0) or 0, "rootfs source", f"mounting the root file system: {error}") from error


def open_binds(binds: "list[dict[str, Any]]") -> "list[tuple[int, bool]]":
    """Return (detached mount, is a directory) of each. Raises SpawnFailed with nothing left open."""
    opened: list[tuple[int, bool]] = []
    try:
        for bind in binds:
            opened.append(_open_bind(bind))
    except OSError as error:
        for fd, _ in opened:
            os.close(fd)
        source = bind["source"]
        number = error.errno or 0
        reason = str(error) if isinstance(error, SyscallError) else (error.strerror or "").lower()
        raise SpawnFailed(number, "mount", f"error mounting {source!r}: {reason}") from error
    return opened


def _open_bind(bind: "Mapping[str, Any]") -> "tuple[int, bool]":
    fd = mount.clone_tree(AT_FDCWD, os.fsencode(bind["source"]), recursive=bind["recursive"])
    try:
        if bind.get("recursive_on") or bind.get("recursive_off"):
            mount.set_attributes(fd, on=bind["recursive_on"], off=bind["recursive_off"], recursive=True)
        if bind["on"] or bind["off"]:
            mount.set_attributes(fd, on=bind["on"], off=bind["off"])
        propagation = bind["propagation"]
        mount.set_attributes(fd, propagation=propagation & ~mount.MS_REC, recursive=bool(propagation & mount.MS_REC))
        return fd, os.path.isdir(b"/proc/self/fd/%d" % fd)
    except BaseException:
        os.close(fd)
        raise
