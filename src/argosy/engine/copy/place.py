"""Where a copy works: the tree, and what of the host is mounted in it while the container does not run."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from argosy.engine.model import MountPoint
from argosy.linux import mount
from argosy.linux.openat2 import BENEATH, NO_MAGICLINKS, O_PATH, open_root, openat2
from argosy.linux.syscall import AT_FDCWD
from argosy.storage.model import Mapped, Overlay, RootMount


@dataclass(frozen=True, slots=True)
class Place:
    root: RootMount | Mapped | int
    """A snapshot, or the pid of the running container's init; mapped if the container has a user namespace."""
    mounts: Sequence[MountPoint] = ()
    read_only: bool = False
    """The container's root file system was made read-only (``--read-only``)."""
    userns: int = -1
    """fd of a user namespace that holds the mapping; the caller's."""

    @property
    def running(self) -> bool:
        return isinstance(self.root.tree if isinstance(self.root, Mapped) else self.root, int)

    def covering(self, path: str) -> MountPoint | None:
        """Return the innermost mount that ``path`` lies in, as far as its text tells; links are the kernel's business."""
        clean = os.path.normpath("/" + path.lstrip("/"))
        inside = [point for point in self.mounts if _lies_in(clean, os.path.normpath(point.destination))]
        return max(inside, key=lambda point: len(point.destination), default=None)


def _lies_in(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")


@contextmanager
def grafts(place: Place) -> Iterator[tuple[list[int], list[list[Any]]]]:
    """Yield (fds, ``mounts`` parameter) for a job: detached copies of the mounts, which the worker attaches in its own namespace.

    Nothing is attached anywhere else, so nothing stays if anybody dies. A running container needs none. A source that has gone
    leaves the empty mount point, as a start would complain about it in due course.
    """
    with ExitStack() as opened:
        fds: list[int] = []
        attached: list[tuple[str, bool]] = []
        for point in _hosted(place):
            try:
                fd = _clone(point)
            except OSError:
                continue
            opened.callback(os.close, fd)
            if place.userns >= 0 and point.mapped:
                mount.set_attributes(fd, userns=place.userns)
            if not point.rw:
                mount.set_attributes(fd, on=mount.ATTR_RDONLY, recursive=True)
            fds.append(fd)
            attached.append((point.destination, os.path.isdir(b"/proc/self/fd/%d" % fd)))
        # Counted from the end, as a job's own fds come first.
        yield fds, [[index - len(fds), *rest] for index, rest in enumerate(attached)]


def _clone(point: MountPoint) -> int:
    source = os.fsencode(point.source)
    if not point.subpath:
        return mount.clone_tree(AT_FDCWD, source, recursive=True)
    whole = open_root(source)
    try:
        # A program may have made a link there that leads out.
        part = openat2(whole, os.fsencode(point.subpath), O_PATH, resolve=BENEATH | NO_MAGICLINKS)
        try:
            return mount.clone_tree(part, recursive=True)
        finally:
            os.close(part)
    finally:
        os.close(whole)


def _hosted(place: Place) -> list[MountPoint]:
    """Parents first, so that a mount within a mount lies on top."""
    if place.running:
        return []
    points = [point for point in place.mounts if point.type in ("bind", "volume") and point.source]
    return sorted(points, key=lambda point: os.path.normpath(point.destination).count("/"))


def readable(root: RootMount) -> RootMount:
    """Return a view to read from: another mount of a running container's upper directory must not be able to write to it."""
    if isinstance(root, Overlay) and root.upper:
        return replace(root, lower=(root.upper, *root.lower), upper="", work="")
    return root
