"""Device nodes, the links of /dev, and the container's terminal."""

import os

from argosy.linux import mount, openat2, pty
from argosy.runtime.init.context import Context

_EEXIST = 17


class Device:
    """Make a node, or bind the host's where nodes cannot be made (user namespaces: ``index`` of the parent's binds)."""

    stage = "device"
    __slots__ = ("device", "gid", "index", "mode", "to", "uid")

    def __init__(self, to: bytes, mode: int, major: int = 0, minor: int = 0, uid: int = 0, gid: int = 0, index: int = -1) -> None:
        self.to = to
        self.mode = mode
        self.device = os.makedev(major, minor)
        self.uid = uid
        self.gid = gid
        self.index = index

    def describe(self) -> str:
        return f"device {os.fsdecode(self.to)} {os.major(self.device)}:{os.minor(self.device)}"

    def execute(self, context: Context) -> None:
        if self.index >= 0:
            to = openat2.make_file(context.root, self.to)
            fd = context.binds[self.index][0]
            mount.attach(fd, to)
            os.close(fd)
            os.close(to)
            return
        directory, _, name = self.to.rpartition(b"/")
        parent = openat2.make_directories(context.root, directory)
        try:
            self._make(parent, name)
        finally:
            os.close(parent)

    def _make(self, parent: int, name: bytes) -> None:
        try:
            os.mknod(name, self.mode, self.device, dir_fd=parent)
        except OSError as error:
            if error.errno != _EEXIST:
                raise
            self._check(parent, name)
            return
        if self.uid or self.gid:
            os.chown(name, self.uid, self.gid, dir_fd=parent, follow_symlinks=False)

    def _check(self, parent: int, name: bytes) -> None:
        status = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if status.st_mode & 0o170000 != self.mode & 0o170000 or (self.device and status.st_rdev != self.device):
            raise ValueError(f"{os.fsdecode(self.to)} exists in the image and is something else")


class Link:
    """A symbolic link, left alone where something is there."""

    stage = "device"
    __slots__ = ("target", "to")

    def __init__(self, to: bytes, target: bytes) -> None:
        self.to = to
        self.target = target

    def describe(self) -> str:
        return f"link {os.fsdecode(self.to)} to {os.fsdecode(self.target)}"

    def execute(self, context: Context) -> None:
        directory, _, name = self.to.rpartition(b"/")
        parent = openat2.make_directories(context.root, directory)
        try:
            os.symlink(self.target, name, dir_fd=parent)
        except FileExistsError:
            pass
        finally:
            os.close(parent)


class Terminal:
    """Make the terminal in the container's own devpts; with ``console`` also bind it at /dev/console."""

    stage = "terminal"
    __slots__ = ("columns", "console", "rows")

    def __init__(self, rows: int = 0, columns: int = 0, console: bool = True) -> None:
        self.rows = rows
        self.columns = columns
        self.console = console

    def describe(self) -> str:
        return "make a terminal" + (" and bind it at /dev/console" if self.console else "")

    def execute(self, context: Context) -> None:
        devpts = context.devpts if context.devpts >= 0 else _container_devpts(context)
        context.master, context.slave = pty.open_pair(devpts)
        if self.rows or self.columns:
            pty.set_size(context.master, self.rows, self.columns)
        if self.console:
            self._bind_console(context)

    def _bind_console(self, context: Context) -> None:
        # O_NOFOLLOW and a regular file of our own making: an image's symlink must not choose what gets covered
        # (CVE-2025-52565).
        parent = openat2.make_directories(context.root, b"dev")
        try:
            try:
                os.close(os.open(b"console", os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=parent))
            except FileExistsError:
                pass
            target = openat2.openat2(parent, b"console", os.O_PATH | os.O_NOFOLLOW, resolve=openat2.BENEATH | openat2.NO_SYMLINKS)
            if os.fstat(target).st_mode & 0o170000 not in (0o100000, 0o020000):
                raise ValueError("/dev/console of the container is neither a file nor a device")
            clone = mount.clone_tree(context.slave)
            mount.attach(clone, target)
            os.close(clone)
            os.close(target)
        finally:
            os.close(parent)


def _container_devpts(context: Context) -> int:
    """Return the devpts at /dev/pts of a container entered by an exec, verified to be one."""
    fd = openat2.openat2(context.root, b"dev/pts", os.O_PATH | os.O_DIRECTORY)
    if openat2.filesystem_type(fd) != openat2.DEVPTS_MAGIC:
        os.close(fd)
        raise ValueError("/dev/pts of the container is not a devpts file system")
    return fd


def take_terminal(slave: int) -> None:
    """Make ``slave`` fds 0, 1, 2 and the controlling terminal of a new session."""
    for fd in (0, 1, 2):
        os.dup2(slave, fd)
    pty.control(0)
