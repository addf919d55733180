"""What this kernel is and offers, read once (uname(2), /proc, cgroup mounts)."""

import os

from argosy.linux import mount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

CGROUP_ROOT = "/sys/fs/cgroup"


def release() -> tuple[int, int]:
    """Return (6, 1) of ``6.1.0-28-amd64``."""
    major, _, rest = os.uname().release.partition(".")
    digits = ""
    for char in rest:
        if not char.isdigit():
            break
        digits += char
    return int(major), int(digits or 0)


def has_lowerdir_plus() -> bool:
    """Return whether overlayfs takes its layers one by one (Linux 6.7): asked of the kernel, not of its version."""
    # Until 6.5 overlayfs had no parser for fsconfig(2): whatever is set is taken, and refused only when the mount is made.
    return _overlay_takes(b"lowerdir+") and not _overlay_takes(b"no-such-option")


def _overlay_takes(key: bytes) -> bool:
    try:
        context = mount.fs_open(b"overlay")
    except OSError:
        return False
    try:
        mount.fs_set(context, key, b"/")
    except OSError:
        return False
    finally:
        os.close(context)
    return True


def parse_cgroup_mounts(mountinfo: "Iterable[str]") -> tuple[dict[str, str], str]:
    """Return ({v1 controller or ``name=x``: mount point}, v2 mount point or "") from lines of /proc/self/mountinfo."""
    legacy: dict[str, str] = {}
    unified = ""
    for line in mountinfo:
        before, _, after = line.partition(" - ")
        if not after.startswith("cgroup"):
            continue
        point = before.split(" ")[4]
        kind, _, options = after.split(" ", 2)
        if kind == "cgroup2":
            unified = unified or point
        elif kind == "cgroup":
            for option in options.strip().split(","):
                if option not in ("rw", "ro", "xattr", "clone_children", "noprefix") and "release_agent" not in option:
                    legacy.setdefault(option, point)
    return legacy, unified


def cgroup_mounts() -> tuple[dict[str, str], str]:
    """Return what `parse_cgroup_mounts` finds for this process."""
    with open("/proc/self/mountinfo") as file:
        return parse_cgroup_mounts(file)


def cgroup_controllers(unified: str) -> list[str]:
    """Return the controllers that the v2 hierarchy at ``unified`` offers at its root."""
    try:
        with open(unified + "/cgroup.controllers") as file:
            return file.read().split()
    except OSError:
        return []
