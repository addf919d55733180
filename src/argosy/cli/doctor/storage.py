"""File systems and space."""

from __future__ import annotations

from argosy.cli.doctor import modules
from argosy.cli.doctor.finding import MISSING, NOTE, OK, Finding
from argosy.cli.output import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from argosy.cli.doctor.machine import Machine

_LITTLE = 2 << 30
DATA_ROOT = "/var/lib/argosy"


def probe(machine: Machine, data_root: str = DATA_ROOT) -> Iterator[Finding]:
    known = {line.split()[-1] for line in machine.read("/proc/filesystems").splitlines() if line.split()}
    yield _overlay(machine, known)
    yield from _others(machine, known)
    yield _space(machine, data_root)


def _overlay(machine: Machine, known: set[str]) -> Finding:
    if "overlay" in known or machine.module("overlay") in ("loaded", "built in"):
        return Finding("storage", "overlay", OK, "the overlay2 driver works")
    consequence = "layers are copied in full (driver vfs): slow, and takes much space"
    return Finding("storage", "overlay", NOTE, "missing", consequence, modules.remedy(machine, "overlay"))


def _others(machine: Machine, known: set[str]) -> Iterator[Finding]:
    for name, use in (("btrfs", "the btrfs driver"), ("fuse", "the fuse-overlayfs driver")):
        if name in known or machine.module(name) in ("loaded", "built in"):
            yield Finding("storage", name, OK, "known to the kernel")
        elif machine.module(name) == "available":
            yield Finding("storage", name, OK, f"available (modprobe {name})")
        else:
            yield Finding("storage", name, NOTE, "missing", f"{use} cannot be used", modules.remedy(machine, name))
    if "tmpfs" not in known:
        yield Finding("storage", "tmpfs", MISSING, "missing", "no container can be started", modules.remedy(machine, "tmpfs"))


def _space(machine: Machine, data_root: str) -> Finding:
    where, free, total = machine.free(data_root)
    detail = f"{human.size(free)} of {human.size(total)} free at {where}"
    if free < _LITTLE:
        return Finding(
            "storage", "space", NOTE, detail, "images and logs will soon find no room", "argosy system prune, or --data-root elsewhere"
        )
    return Finding("storage", "space", OK, detail)
