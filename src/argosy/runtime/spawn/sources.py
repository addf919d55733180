"""What the parent opens with the host's rights before the child exists: the root and the bind mounts, all detached."""

import os

from argosy.linux import mount, overlay
from argosy.linux.fuse_overlay import open_fuse_overlay
from argosy.linux.syscall import AT_FDCWD, SyscallError, words
from argosy.linux.userns import user_namespace
from argosy.runtime.spawn.failure import SpawnFailed
from argosy.runtime.spawn.mapped_overlay import label_options, needs_a_layer, overlay_in_helper, part_in_helper
from argosy.runtime.spawn.namespaces import Joined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_EXDEV = 18


class Mapper:
    """Makes the user namespaces that id-mapped mounts need, each mapping once; `close` when all is opened."""

    def __init__(self) -> None:
        self._made: dict[str, int] = {}

    def namespace(self, uids: "list[list[int]]", gids: "list[list[int]]") -> int:
        key = repr((uids, gids))
        if key not in self._made:
            self._made[key] = user_namespace(uids, gids)
        return self._made[key]

    def close(self) -> None:
        for fd in self._made.values():
            os.close(fd)
        self._made.clear()


def open_root(plan: "Mapping[str, Any]", mapper: Mapper) -> int:
    """Return the fd of the container's root, mounted nowhere yet. Raises SpawnFailed."""
    try:
        return open_tree(plan["root"], mapper)
    except (OSError, ValueError) as error:
        raise SpawnFailed(getattr(error, "errno", 0) or 0, "rootfs source", f"mounting the root file system: {error}") from error


def open_tree(root: "Mapping[str, Any]", mapper: Mapper) -> int:
    """Return the fd of a plan's tree, or of its ``subpath``, as a detached mount, seen through ``uid_map`` and ``gid_map`` if it has
    them. Raises OSError, ValueError."""
    tree = _open_whole(root, mapper)
    if not root.get("subpath"):
        return tree
    try:
        return part_in_helper(tree, os.fsencode(root["subpath"]))
    finally:
        os.close(tree)


def _open_whole(root: "Mapping[str, Any]", mapper: Mapper) -> int:
    userns = mapper.namespace(root["uid_map"], root["gid_map"]) if root["uid_map"] else -1
    if root["kind"] == "directory":
        return _open_directory(os.fsencode(root["path"]), userns)
    if root["program"]:
        return _open_served(root, userns)
    if userns >= 0 or not root["lowerdir_plus"] or needs_a_layer(root):
        return overlay_in_helper(root, userns)
    return overlay.open_overlay(
        tuple(os.fsencode(path) for path in root["lower"]),
        os.fsencode(root["upper"]),
        os.fsencode(root["work"]),
        lowerdir_plus=True,
        options=label_options(root),
    )


def _open_served(root: "Mapping[str, Any]", userns: int) -> int:
    """The server is this process's child: the shim's, outside of the container, and ends with the last mount of it."""
    if userns >= 0:
        raise ValueError("fuse-overlayfs cannot map ids: use overlay2 with user namespaces")
    lower = tuple(os.fsencode(path) for path in root["lower"])
    upper, work, label = (os.fsencode(root[key]) for key in ("upper", "work", "label"))
    tree, _ = open_fuse_overlay(os.fsencode(root["program"]), lower, upper, work, label)
    return tree


def _open_directory(path: bytes, userns: int) -> int:
    fd = mount.clone_tree(AT_FDCWD, path, recursive=True)
    try:
        mount.set_attributes(fd, propagation=mount.MS_PRIVATE, recursive=True)
        if userns >= 0:
            mount.set_attributes(fd, userns=userns)
        return fd
    except BaseException:
        os.close(fd)
        raise


def open_binds(binds: "list[dict[str, Any]]", mapper: Mapper) -> "list[tuple[int, bool]]":
    """Return (detached mount, is a directory) of each. Raises SpawnFailed with nothing left open."""
    opened: list[tuple[int, bool]] = []
    try:
        for bind in binds:
            opened.append(_open_bind(bind, mapper))
    except OSError as error:
        for fd, _ in opened:
            os.close(fd)
        raise _failed(bind, error) from error
    return opened


def _failed(bind: "Mapping[str, Any]", error: OSError) -> SpawnFailed:
    source, number = bind["source"], error.errno or 0
    subpath = bind.get("tree", {}).get("subpath")
    if subpath:
        reason = "a link leads out of it" if number == _EXDEV else words(number)
        return SpawnFailed(number, "subpath", f"cannot access path {source}/{subpath}: {reason}")
    reason = str(error) if isinstance(error, SyscallError) else (error.strerror or "").lower()
    return SpawnFailed(number, "mount", f"error mounting {source!r}: {reason}")


def _clone(source: str, recursive: bool) -> int:
    """A mount can be copied only by who is in its mount namespace (open_tree(2)): for another container's, go there."""
    parts = source.split("/", 4)
    if parts[:2] == ["", "proc"] and parts[2].isdecimal() and parts[3:4] == ["root"]:
        with Joined({"mount": f"/proc/{parts[2]}/ns/mnt"}):
            return mount.clone_tree(AT_FDCWD, os.fsencode("/" + "".join(parts[4:])), recursive=recursive)
    return mount.clone_tree(AT_FDCWD, os.fsencode(source), recursive=recursive)


def _open_bind(bind: "Mapping[str, Any]", mapper: Mapper) -> "tuple[int, bool]":
    fd = open_tree(bind["tree"], mapper) if "tree" in bind else _clone(bind["source"], bind["recursive"])
    try:
        if bind.get("recursive_on") or bind.get("recursive_off"):
            mount.set_attributes(fd, on=bind["recursive_on"], off=bind["recursive_off"], recursive=True)
        if bind["on"] or bind["off"]:
            mount.set_attributes(fd, on=bind["on"], off=bind["off"])
        if bind.get("uid_map"):
            userns = mapper.namespace(bind["uid_map"], bind["gid_map"])
            mount.set_attributes(fd, userns=userns, recursive=bind["recursive_map"])
        propagation = bind["propagation"]
        mount.set_attributes(fd, propagation=propagation & ~mount.MS_REC, recursive=bool(propagation & mount.MS_REC))
        return fd, os.path.isdir(b"/proc/self/fd/%d" % fd)
    except BaseException:
        os.close(fd)
        raise
