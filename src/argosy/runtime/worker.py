"""File work in a process that sees only the tree it works on: a fork of the launcher, pivoted, with one job to do.

The daemon's end of the control connection is the worker's life: when it closes (cancelled, or the daemon died) the kernel
sends SIGIO, whose default is the end of the process (fcntl(2), F_SETOWN and O_ASYNC).
"""

import _socket as socket
import fcntl
import os
import sys

from argosy.linux import mount, overlay, process
from argosy.linux.fuse_overlay import open_fuse_overlay
from argosy.linux.syscall import AT_FDCWD
from argosy.linux.userns import act_as, outside
from argosy.runtime.exitrecord import start_time
from argosy.runtime.shim import wire
from argosy.runtime.shim.title import set_title
from argosy.runtime.spawn.mapped_overlay import part_in_helper
from argosy.runtime.spawn.sources import Mapper, open_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

JOBS = "argosy.storage.archive.jobs"


def run(request: "dict[str, Any]", control: socket.socket, fds: "Sequence[int]") -> int:
    """Do ``request['job']`` in ``request['root']`` and answer with ``result`` or ``error``."""
    set_title("argosy-worker", request["job"])
    _die_with(control)
    try:
        __import__(JOBS)  # loaded already, unless this is the launcher of shims
        job = sys.modules[JOBS].JOBS[request["job"]]
        fds = _enter(request.get("root"), request.get("views") or [], fds)
        answer = {"event": "done", "result": job(request["params"], fds)}
    except Exception as error:
        answer = {
            "event": "done",
            "error": type(error).__name__,
            "message": str(error) or type(error).__name__,
            "errno": getattr(error, "errno", None),
        }
    wire.send(control, answer)
    return 0


def _die_with(control: socket.socket) -> None:
    fd = control.fileno()
    fcntl.fcntl(fd, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_ASYNC)
    try:
        if not control.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
            os._exit(1)  # it had closed before the signal was asked for
    except BlockingIOError:
        pass


def _enter(root: "dict[str, Any] | None", views: "list[dict[str, Any]]", fds: "Sequence[int]") -> "Sequence[int]":
    """Make the tree this process's root, and return the fds with those of the views. After it nothing can be imported: what
    the tree holds is not ours."""
    if root is None and not views:
        return fds
    # Before the namespace is made: a server in it would keep it, and with it the mount, which it is to leave with.
    served = [_served(tree) for tree in (*views, root)]
    if views or (root is not None and root["kind"] != "pid"):
        process.unshare(process.NEWNS)
        mount.set_propagation(b"/", mount.MS_PRIVATE | mount.MS_REC)
    opened = [_view(view, mounted) for view, mounted in zip(views, served)]
    if root is not None:
        owner = (outside(root["uid_map"], 0), outside(root["gid_map"], 0)) if root["uid_map"] else None
        if root["kind"] == "pid":
            _chroot(root["pid"], root["start"])
        else:
            _pivot(root, served[-1])
        sys.path.clear()
        sys.meta_path.clear()
        sys.path_hooks.clear()
        sys.path_importer_cache.clear()
        if owner is not None:
            act_as(*owner)
    return (*fds, *opened)


def _view(root: "dict[str, Any]", served: int) -> int:
    """Return a directory fd of a tree that is mounted nowhere; of a part that is a file, its mount."""
    # The tree's own fd stays open too: a detached mount goes with it.
    tree = _mounted(root, served)
    try:
        return os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=tree)
    except NotADirectoryError:
        return tree


def _chroot(pid: int, start: int) -> None:
    fd = os.open(f"/proc/{pid}/root", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    # Opened first, checked then: if the pid had changed hands, what was opened is another's root.
    if start and start_time(pid) != start:
        raise ProcessLookupError(3, f"process {pid} is gone")
    os.fchdir(fd)
    os.chroot(".")
    os.close(fd)


def _pivot(root: "dict[str, Any]", served: int) -> None:
    tree = _mounted(root, served)
    # /proc is a directory on every host; what is mounted there is hidden in this namespace only.
    mount.attach(tree, AT_FDCWD, b"/proc")
    os.fchdir(tree)
    os.close(tree)
    mount.pivot_root(b".", b".")
    mount.unmount(b".")
    os.chdir("/")


def _mounted(root: "dict[str, Any]", served: int) -> int:
    """Return the fd of the tree as a detached mount."""
    if served >= 0:
        return part_in_helper(served, os.fsencode(root["subpath"])) if root["subpath"] else served
    if root["uid_map"] or root["subpath"]:
        mapper = Mapper()
        try:
            return open_tree(root, mapper)
        finally:
            mapper.close()
    if root["kind"] != "overlay":
        return mount.clone_tree(AT_FDCWD, os.fsencode(root["path"]), recursive=True)
    return overlay.open_overlay(*_directories(root), lowerdir_plus=root["lowerdir_plus"], scratch=b"/proc")


def _served(root: "dict[str, Any] | None") -> int:
    """Return the mount of a tree that a program serves, else -1."""
    if root is None or not root.get("program"):
        return -1
    return open_fuse_overlay(os.fsencode(root["program"]), *_directories(root))[0]


def _directories(root: "dict[str, Any]") -> "tuple[tuple[bytes, ...], bytes, bytes]":
    return tuple(os.fsencode(path) for path in root["lower"]), os.fsencode(root["upper"]), os.fsencode(root["work"])
