"""Whether a driver works on a data root: tried, not guessed. Each probe returns why not, empty if it does."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from argosy.linux import btrfs, mount
from argosy.linux.fuse_overlay import open_fuse_overlay
from argosy.linux.kernel import release
from argosy.linux.overlay import open_overlay
from argosy.linux.syscall import AT_FDCWD

_PROGRAM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def probe_overlay(data_root: Path) -> str:
    """Mount one, delete through it, look at the result."""

    def mounted(scratch: Path) -> str:
        lower, upper, work = (os.fsencode(scratch / part) for part in ("lower", "upper", "work"))
        return _try(open_overlay((lower,), upper, work, lowerdir_plus=False, scratch=work), scratch)

    return _with_trees(data_root, mounted)


def fuse_program() -> str:
    """Return the path of fuse-overlayfs, empty if it is not installed."""
    return shutil.which("fuse-overlayfs", path=os.environ.get("PATH", _PROGRAM_PATH)) or ""


def probe_fuse_overlay(data_root: Path) -> str:
    program = fuse_program()
    if not program:
        return "the program fuse-overlayfs is not installed (Debian: apt install fuse-overlayfs)"

    def mounted(scratch: Path) -> str:
        lower, upper, work = (os.fsencode(scratch / part) for part in ("lower", "upper", "work"))
        tree, pid = open_fuse_overlay(os.fsencode(program), (lower,), upper, work)
        try:
            return _try(tree, scratch)
        finally:
            # The mount is closed, so it leaves.
            os.waitpid(pid, 0)

    return _with_trees(data_root, mounted)


def probe_btrfs(data_root: Path) -> str:
    """Make a subvolume and a snapshot of it, and delete both."""
    kind = backing_filesystem(data_root)
    if kind != "btrfs":
        return f"{data_root} lies on {kind or 'an unknown file system'}, not on btrfs"

    def snapshotted(scratch: Path) -> str:
        fd = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            btrfs.create(fd, b"one")
            try:
                source = os.open("one", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=fd)
                try:
                    btrfs.snapshot(source, fd, b"two")
                finally:
                    os.close(source)
                btrfs.delete(fd, b"two")
            finally:
                btrfs.delete(fd, b"one")
        finally:
            os.close(fd)
        return ""

    return _with_scratch(data_root, snapshotted)


def probe_mapping(driver: str, data_root: Path, userns: int) -> str:
    """Whether files of the data root can be shown through the mapping of a user namespace (an fd)."""
    if driver == "fuse-overlayfs":
        return "the storage driver fuse-overlayfs cannot map ids: use overlay2, btrfs or vfs (--storage-driver)"
    needed = (5, 19) if driver == "overlay2" else (5, 12)
    if release() < needed:
        return f"the storage driver {driver} maps ids on Linux {needed[0]}.{needed[1]} or newer; this is {'.'.join(map(str, release()))}"
    try:
        tree = mount.clone_tree(AT_FDCWD, os.fsencode(data_root))
        try:
            mount.set_attributes(tree, userns=userns)
        finally:
            os.close(tree)
    except OSError as error:
        kind = backing_filesystem(data_root) or "an unknown file system"
        return f"{data_root} lies on {kind}, which takes no id-mapped mounts ({error}): use a --data-root on ext4, xfs or btrfs"
    return ""


def _with_trees(data_root: Path, work: Callable[[Path], str]) -> str:
    def prepared(scratch: Path) -> str:
        for part in ("lower", "upper", "work"):
            (scratch / part).mkdir()
        (scratch / "lower" / "file").touch()
        return work(scratch)

    return _with_scratch(data_root, prepared)


def _with_scratch(data_root: Path, work: Callable[[Path], str]) -> str:
    scratch = data_root / f".probe-{os.urandom(4).hex()}"
    try:
        scratch.mkdir(mode=0o700)
    except OSError as error:
        return f"{scratch}: {error.strerror}"
    try:
        return work(scratch)
    except OSError as error:
        return str(error)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _try(mounted: int, scratch: Path) -> str:
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
    """Return the kind of file system below ``path``, as Docker names it (proc(5), fdinfo and mountinfo).

    By the mount's number: on btrfs each subvolume has a device number of its own, which mountinfo does not know.
    """
    fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        with open(f"/proc/self/fdinfo/{fd}", encoding="ascii") as info:
            wanted = next((line.split()[1] for line in info if line.startswith("mnt_id:")), "")
    finally:
        os.close(fd)
    names = {"ext2": "extfs", "ext3": "extfs", "ext4": "extfs", "overlay": "overlayfs"}
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as mounts:
        for line in mounts:
            fields = line.split(" ")
            if fields[0] == wanted:
                kind = fields[fields.index("-") + 1]
                return names.get(kind, kind)
    return ""
