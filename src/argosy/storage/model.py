"""Values of the storage layer."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Overlay:
    """Directories of one overlay mount, lowest layer last, as overlayfs wants them."""

    lower: tuple[str, ...]
    upper: str = ""
    """Empty: a read-only view of the lower layers."""
    work: str = ""
    program: str = ""
    """Path of fuse-overlayfs, which serves the mount; empty: the kernel does."""


@dataclass(frozen=True, slots=True)
class Directory:
    """A snapshot that is a plain directory (btrfs, vfs)."""

    path: str


RootMount = Overlay | Directory

IdRanges = tuple[tuple[int, int, int], ...]
"""(in the container, on the host, how many)."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """A container's tree as the host sees it behind its user namespace: files have the host's ids."""

    tree: RootMount | int
    """A snapshot or a view of layers, or the pid of the running container's init."""
    uids: IdRanges
    gids: IdRanges
    subpath: str = ""
    """The part of a view, relative; links may not lead out of it."""


@dataclass(frozen=True, slots=True)
class VolumeView:
    name: str
    driver: str
    mountpoint: str
    created: int
    labels: Mapping[str, str]
    options: Mapping[str, str]
    anonymous: bool = False


@dataclass(frozen=True, slots=True)
class VolumeUsage:
    """One volume in ``system df``."""

    volume: VolumeView
    size: int
    """Bytes; -1: not known (another driver's)."""
    references: int
    """Containers that use it."""
