"""Where a copy works: the tree, and what of the host is mounted in it while the container does not run."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

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
    views: Mapping[str, Mapped] = field(default_factory=dict)
    """What images show that are mounted, by destination."""
    userns: int = -1
    """fd of a user namespace that holds the mapping; the caller's."""

    @property
    def running(self) -> bool:
        return isinstance(self.root.tree if isinstance(self.root, Mapped) else self.root, int)

    @property
    def ended(self) -> bool:
        """Whether it is the root of a process that has ended since: a zombie's is none any more (proc_pid_root(5))."""
        tree = self.root.tree if isinstance(self.root, Mapped) else self.root
        return isinstance(tree, int) and not os.path.exists(f"/proc/{tree}/root")

    def covering(self, path: str) -> MountPoint | None:
        """Return the innermost mount that ``path`` lies in, as far as its text tells; links are the kernel's business."""
        clean = os.path.normpath("/" + path.lstrip("/"))
        inside = [point for point in self.mounts if _lies_in(clean, os.path.normpath(point.destination))]
        return max(inside, key=lambda point: len(point.destination), default=None)


def _lies_in(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")


@dataclass(frozen=True, slots=True)
class Grafts:
    fds: Sequence[int]
    """Detached copies of what is mounted of the host."""
    views: Sequence[Mapped]
    mounts: Sequence[tuple[int, str]]
    """The ``mounts`` parameter of a job."""


@contextmanager
def grafts(place: Place) -> Iterator[Grafts]:
    """Yield what the worker attaches in its own namespace before the job.

    Nothing is attached anywhere else, so nothing stays if anybody dies. A running container needs none. A source that has gone
    leaves the empty mount point, as a start would complain about it in due course.
    """
    with ExitStack() as opened:
        fds: list[int] = []
        views: list[Mapped] = []
        attached: list[tuple[bool, int, str]] = []
        for point in _hosted(place):
            if point.destination in place.views:
                attached.append((True, len(views), point.destination))
                views.append(place.views[point.destination])
                continue
            try:
                fd = _clone(point)
            except OSError:
                continue
            opened.callback(os.close, fd)
            if place.userns >= 0 and point.mapped:
                mount.set_attributes(fd, userns=place.userns)
            if not point.rw:
                mount.set_attributes(fd, on=mount.ATTR_RDONLY, recursive=True)
            attached.append((False, len(fds), point.destination))
            fds.append(fd)
        # Counted from the end, as a job's own fds come first; those of views come last.
        before = {False: len(fds) + len(views), True: len(views)}
        yield Grafts(fds, views, [(index - before[view], to) for view, index, to in attached])


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
    points = [point for point in place.mounts if point.type in ("bind", "volume", "image") and point.source]
    return sorted(points, key=lambda point: os.path.normpath(point.destination).count("/"))


def readable(root: RootMount) -> RootMount:
    """Return a view to read from: another mount of a running container's upper directory must not be able to write to it."""
    if isinstance(root, Overlay) and root.upper:
        return replace(root, lower=(root.upper, *root.lower), upper="", work="")
    return root
