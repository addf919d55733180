"""Which storage driver is used: the one that is asked for, the one that has data here, or the first that works."""

from collections.abc import Callable, Mapping
from pathlib import Path

from argosy.base.errors import InvalidParameterError, SystemFailureError
from argosy.storage.drivers.btrfs import Btrfs
from argosy.storage.drivers.fuse_overlayfs import FuseOverlayfs
from argosy.storage.drivers.overlay2 import Overlay2
from argosy.storage.drivers.port import Driver
from argosy.storage.drivers.probe import backing_filesystem, fuse_program, probe_btrfs, probe_fuse_overlay, probe_overlay
from argosy.storage.drivers.vfs import Vfs
from argosy.storage.ports import Workers

_PROBES: Mapping[str, Callable[[Path], str]] = {
    "overlay2": probe_overlay,
    "fuse-overlayfs": probe_fuse_overlay,
    "btrfs": probe_btrfs,
    "vfs": lambda data_root: "",
}
"""In dockerd's order of preference (moby daemon/graphdriver, driver_linux.go); zfs, which it has before vfs, is not offered."""
_REMOVED = {
    "aufs": "aufs was removed (from the kernel's distributions and from Docker): use overlay2",
    "devicemapper": "devicemapper was removed (from Docker too): use overlay2",
    "overlay": "overlay was removed (from Docker too): use overlay2",
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
    """Return the driver asked for, else the one whose data are there, else the first that works; its ``reason`` says which.

    Raises InvalidParameterError with the reason and a replacement, SystemFailureError when it cannot be told what to use.
    """
    if name:
        if name not in _PROBES:
            reason = _REMOVED.get(name) or f"unknown storage driver: use one of {', '.join(_PROBES)}"
            raise InvalidParameterError(f"storage driver {name}: {reason}")
        if refused := _PROBES[name](data_root):
            raise InvalidParameterError(f"storage driver {name} does not work on {data_root}: {refused}")
        return _make(name, data_root, workers, "asked for by --storage-driver")
    prior = choose_prior(priors(data_root))
    if prior:
        if refused := _PROBES[prior](data_root):
            raise SystemFailureError(
                f"the data in {data_root / prior} were made by the storage driver {prior}, which does not work now: {refused}; "
                f"mend that, or ask for another driver by --storage-driver (images and containers of {prior} are not seen then)"
            )
        return _make(prior, data_root, workers, "it has data here")
    refusals: list[str] = []
    for candidate, probe in _PROBES.items():
        if not (refused := probe(data_root)):
            return _make(candidate, data_root, workers, "; ".join([f"first of {', '.join(_PROBES)} that works", *refusals]))
        refusals.append(f"{candidate} does not: {refused}")
    raise AssertionError("vfs works everywhere")


def priors(data_root: Path) -> list[str]:
    """Return the drivers that have layers or snapshots in the data root, in order of preference."""
    return [
        name for name in _PROBES if any(next((data_root / name / part).glob("*"), None) is not None for part in ("layers", "snapshots"))
    ]


def choose_prior(found: list[str]) -> str:
    """Return whose data are to be used, empty if nobody's. As dockerd: vfs, which works anywhere, steps back behind another.

    Raises SystemFailureError when two others are there.
    """
    others = [name for name in found if name != "vfs"] or found
    if len(others) > 1:
        raise SystemFailureError(
            f"several storage drivers have data here: {', '.join(others)}; "
            "say which one is meant by --storage-driver, or remove the others' directories"
        )
    return others[0] if others else ""


def _make(name: str, data_root: Path, workers: Workers, reason: str) -> Driver:
    home, backing = data_root / name, backing_filesystem(data_root)
    if name == "overlay2":
        return Overlay2(home, reason=reason, backing=backing)
    if name == "fuse-overlayfs":
        return FuseOverlayfs(home, program=fuse_program(), reason=reason, backing=backing)
    if name == "btrfs":
        return Btrfs(reason=reason)
    return Vfs(workers, reason=reason)
