"""Which storage driver works here, and the data roots that are not ours."""

import os
import shutil
from pathlib import Path

from argosy.base.errors import InvalidParameterError, SystemFailureError
from argosy.linux.overlay import open_overlay
from argosy.storage.drivers.overlay2 import Overlay2
from argosy.storage.drivers.port import Driver
from argosy.storage.drivers.vfs import Vfs
from argosy.storage.ports import Workers

_REMOVED = {
    "aufs": "aufs was removed (from the kernel's distributions and from Docker): use overlay2",
    "devicemapper": "devicemapper was removed (from Docker too): use overlay2",
    "overlay": "overlay was removed (from Docker too): use overlay2",
}
_NOT_YET = {
    "btrfs": "btrfs is not supported by this version: use overlay2, which works on btrfs",
    "fuse-overlayfs": "fuse-overlayfs is not supported by this version: use overlay2 or vfs",
    "zfs": "zfs is not supported: use overlay2, which works on OpenZFS 2.2 and later, or vfs",
    "windowsfilter": "windowsfilter is for Windows: use overlay2",
}


def refuse_foreign(data_root: Path) -> None:
    """Raise SystemFailureError if Docker keeps its data there; nothing is touched."""
    marks = ["engine-id", "image/*/repositories.json", "image/*/layerdb", "overlay2/*/link", "containerd/daemon", "buildkit/*.db"]
    for mark in marks:
        found = next(data_root.glob(mark), None)
        if found is not None:
            raise SystemFailureError(
                f"data root {data_root} belongs to Docker (it holds {found.relative_to(data_root)}): "
                "argosyd leaves it alone; give another --data-root"
            )


def select_driver(name: str | None, data_root: Path, *, workers: Workers) -> Driver:
    """Return the driver asked for, or the first that works. Raises InvalidParameterError with the reason and a replacement."""
    if name:
        return _named(name, data_root, workers)
    refused = probe_overlay(data_root)
    if not refused:
        return _overlay(data_root, "first of overlay2, vfs; it works here")
    return Vfs(workers, reason=f"overlay2 does not work here: {refused}")


def _named(name: str, data_root: Path, workers: Workers) -> Driver:
    if name == "overlay2":
        if refused := probe_overlay(data_root):
            raise InvalidParameterError(f"storage driver overlay2 does not work on {data_root}: {refused}")
        return _overlay(data_root, "asked for")
    if name == "vfs":
        return Vfs(workers, reason="asked for")
    reason = _REMOVED.get(name) or _NOT_YET.get(name) or "unknown storage driver: use overlay2 or vfs"
    raise InvalidParameterError(f"storage driver {name}: {reason}")


def _overlay(data_root: Path, reason: str) -> Overlay2:
    return Overlay2(data_root / "overlay2", reason=reason, backing=backing_filesystem(data_root))


def probe_overlay(data_root: Path) -> str:
    """Return why overlayfs cannot be used on ``data_root``, empty if it can: mount one, delete through it, look at the result."""
    scratch = data_root / f".probe-{os.urandom(4).hex()}"
    try:
        scratch.mkdir(mode=0o700)
    except OSError as error:
        return f"{scratch}: {error.strerror}"
    try:
        for part in ("lower", "upper", "work"):
            (scratch / part).mkdir()
        (scratch / "lower" / "file").touch()
        return _try(scratch)
    except OSError as error:
        return str(error)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _try(scratch: Path) -> str:
    lower, upper, work = (os.fsencode(scratch / part) for part in ("lower", "upper", "work"))
    mounted = open_overlay((lower,), upper, work, lowerdir_plus=False, scratch=os.fsencode(scratch / "work"))
    try:
        os.unlink("file", dir_fd=mounted)
        inside = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=mounted)
        try:
            visible = os.listdir(inside)
        finally:
            os.close(inside)
    finally:
        os.close(mounted)
    if visible:
        return "deleted files stay visible (the file system lacks d_type: xfs needs ftype=1)"
    found = os.lstat(scratch / "upper" / "file")
    return "" if found.st_rdev == 0 else "whiteouts cannot be made"


def backing_filesystem(path: Path) -> str:
    """Return the kind of file system below ``path``, as Docker names it, by /proc/self/mountinfo (proc(5))."""
    device = os.stat(path).st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    names = {"ext2": "extfs", "ext3": "extfs", "ext4": "extfs", "overlay": "overlayfs"}
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as mounts:
        for line in mounts:
            fields = line.split(" ")
            if fields[2] == wanted:
                kind = fields[fields.index("-") + 1]
                return names.get(kind, kind)
    return ""
