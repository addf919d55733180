"""Files of the host that a container is given: they get a label that it may use (go-selinux ``Chcon``, ``label.Relabel``)."""

import asyncio
import logging
import os
from collections.abc import Iterable, Sequence

from argosy.base.errors import SystemFailureError
from argosy.engine.model import MountPoint
from argosy.engine.selinux import Policy, file_label, relabelling
from argosy.linux.selinux import label_of, label_tree
from argosy.storage.model import Directory, RootMount

_log = logging.getLogger(__name__)
_SYSTEM = frozenset(
    {
        "/", "/bin", "/boot", "/dev", "/etc", "/etc/passwd", "/etc/pki", "/etc/shadow", "/home", "/lib", "/lib64", "/media", "/opt",
        "/proc", "/root", "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/var", "/var/lib", "/var/log",
    }
)  # fmt: skip
"""What the machine itself could not use any more."""


def refused(path: str, homes: Iterable[str] = ()) -> bool:
    """Return whether relabelling the tree would take it from the machine; ``homes``: also these directories."""
    path = path if path == "/" else path.removesuffix("/")
    return path in _SYSTEM or path in homes


async def relabel_mounts(points: Sequence[MountPoint], mount_label: str) -> None:
    """Label what ``:z`` and ``:Z`` ask for, sources at their host paths. Raises SystemFailureError in Docker's words."""
    if not mount_label:
        return
    for point in points:
        # A volume that came without a mode belongs to whoever mounts it next as well (moby registerMountPoints, "z" if null).
        wish = relabelling(point.mode) or ("z" if point.type == "volume" and not point.mode else "")
        if wish and point.type in ("bind", "volume"):
            await asyncio.to_thread(_relabel, point.source, file_label(mount_label, shared=wish == "z"))


async def relabel_own(paths: Iterable[str], mount_label: str, *, shared: bool) -> None:
    """Label files that the daemon keeps for the container (hosts, resolv.conf, hostname). Raises SystemFailureError."""
    if mount_label:
        for path in paths:
            await asyncio.to_thread(_relabel, path, file_label(mount_label, shared=shared))


async def relabel_root(root: RootMount, mount_label: str) -> None:
    """Label a root file system that is a plain directory; an overlay is mounted under its label. Raises SystemFailureError."""
    if mount_label and isinstance(root, Directory):
        await asyncio.to_thread(_relabel, root.path, mount_label)


def label_layers(home: str, found: Policy) -> None:
    """Label the directory of an overlay's layers, unless it is: what is made in it later takes its label.

    A mapped file is checked twice, under the mount's label and where it lies (overlayfs.rst, "Permission model"). What fails is logged:
    the machine's own rules for files (semanage-fcontext(8)) may have labelled it well enough.
    """
    wanted = str(found.layers)
    try:
        if label_of(home) != wanted:
            label_tree(home, wanted)
    except OSError as error:
        _log.warning("%s could not be labelled %s for containers: %s", home, wanted, error.strerror)


def _relabel(path: str, label: str) -> None:
    told = f"error setting label on mount source '{path}': "
    # The target of a link is what the container sees.
    target = os.path.realpath(path)
    if refused(target, [home for home in (os.environ.get("HOME", ""),) if home]):
        raise SystemFailureError(f"{told}SELinux relabeling of {target} is not allowed")
    try:
        label_tree(target, label)
    except OSError as error:
        reason = "invalid argument: the policy knows no such label" if error.errno == 22 else (error.strerror or "").lower()
        raise SystemFailureError(f"{told}lsetxattr(label={label}) {error.filename}: {reason}") from error
