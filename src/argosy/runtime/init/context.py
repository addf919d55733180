"""What the operations of one start share: fds, the gate, and what was learned on the way."""

import os

from argosy.linux import mount, openat2
from argosy.runtime.init.gate import Gate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argosy.runtime.init.users import User

_NULL_DEVICE = (1, 3)


class Context:
    """Filled by the parent before the clone (mounts), then by the operations."""

    __slots__ = ("_null", "_proc", "binds", "devpts", "doors", "gate", "home", "master", "root", "slave", "user", "warnings")

    def __init__(self, gate: Gate, root: int = -1, binds: "list[tuple[int, bool]] | None" = None, doors: "list[int] | None" = None) -> None:
        self.gate = gate
        self.root = root
        """The container's root: first the detached mount's fd, after the pivot still the same directory."""
        self.binds = binds or []
        """(detached mount, is a directory) of every bind mount, opened by the parent with the host's rights."""
        self.doors = doors or []
        """Where the child moves itself into its cgroups (`cgroups.Group.doors`)."""
        self.devpts = -1
        self.master = -1
        self.slave = -1
        self.user: User | None = None
        self.home = b"/"
        self.warnings: list[str] = []
        self._proc = -1
        self._null = -1

    def proc(self) -> int:
        """Return the root of a procfs of our own, attached nowhere: nobody can have mounted anything over its files."""
        if self._proc < 0:
            self._proc = mount.new_filesystem(b"proc")
        return self._proc

    def null(self) -> int:
        """Return the container's /dev/null, verified to be that device (CVE-2025-31133: an image made it a symlink)."""
        if self._null < 0:
            fd = openat2.openat2(self.root, b"dev/null", os.O_PATH | os.O_NOFOLLOW)
            status = os.fstat(fd)
            if status.st_mode & 0o170000 != 0o020000 or (os.major(status.st_rdev), os.minor(status.st_rdev)) != _NULL_DEVICE:
                os.close(fd)
                raise ValueError("/dev/null of the container is not the null device")
            self._null = fd
        return self._null


def open_proc(context: Context, path: bytes) -> int:
    """Return one file of procfs opened for writing, by a path without links or mounts in it."""
    return openat2.openat2(
        context.proc(), path, os.O_WRONLY, resolve=openat2.BENEATH | openat2.NO_SYMLINKS | openat2.NO_XDEV | openat2.NO_MAGICLINKS
    )


def write_proc(context: Context, path: bytes, value: bytes) -> None:
    """Write one file of procfs (`open_proc`)."""
    fd = open_proc(context, path)
    try:
        os.write(fd, value)
    finally:
        os.close(fd)
