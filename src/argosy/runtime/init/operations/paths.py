"""Paths that a container may not read or write, sysctls, the working directory."""

import os

from argosy.linux import mount, openat2
from argosy.linux.syscall import fail, words
from argosy.runtime.init.context import Context, write_proc

_ABSENT = (2, 20)  # ENOENT, ENOTDIR


class Mask:
    """Cover ``path`` so that nothing can be read there: /dev/null over files, an empty read-only tmpfs over directories."""

    stage = "mask"
    __slots__ = ("paths",)

    def __init__(self, paths: "tuple[bytes, ...]") -> None:
        self.paths = paths

    def describe(self) -> str:
        return "mask " + " ".join(os.fsdecode(path) for path in self.paths)

    def execute(self, context: Context) -> None:
        empty = -1
        for path in self.paths:
            target = _find(context, path)
            if target < 0:
                continue
            if os.fstat(target).st_mode & 0o170000 == 0o040000:
                if empty < 0:
                    empty = mount.new_filesystem(b"tmpfs", ((b"nr_inodes", b"2"),), mount.ATTR_RDONLY, b"tmpfs")
                    cover = empty
                else:
                    cover = mount.clone_tree(empty)
            else:
                cover = mount.clone_tree(context.null())
            mount.attach(cover, target)
            os.close(target)
            if cover != empty:
                os.close(cover)
        if empty >= 0:
            os.close(empty)


class ReadOnly:
    """Make ``paths`` and all below them read-only."""

    stage = "mask"
    __slots__ = ("paths",)

    def __init__(self, paths: "tuple[bytes, ...]") -> None:
        self.paths = paths

    def describe(self) -> str:
        return "make read-only " + " ".join(os.fsdecode(path) for path in self.paths)

    def execute(self, context: Context) -> None:
        for path in self.paths:
            target = _find(context, path)
            if target < 0:
                continue
            clone = mount.clone_tree(target, recursive=True)
            mount.set_attributes(clone, on=mount.ATTR_RDONLY, recursive=True)
            mount.attach(clone, target)
            os.close(clone)
            os.close(target)


def _find(context: Context, path: bytes) -> int:
    try:
        return openat2.resolve(context.root, path)
    except OSError as error:
        if error.errno in _ABSENT:
            return -1
        raise


class Sysctl:
    """Write one kernel setting of the container's namespaces."""

    stage = "sysctl"
    __slots__ = ("name", "value")

    def __init__(self, name: bytes, value: bytes) -> None:
        self.name = name
        self.value = value

    def describe(self) -> str:
        return f"set {os.fsdecode(self.name)} to {os.fsdecode(self.value)}"

    def execute(self, context: Context) -> None:
        try:
            write_proc(context, b"sys/" + self.name, self.value)
        except OSError as error:
            call = "write" if type(error) is OSError or not getattr(error, "call", "") else "open"
            fail(error.errno or 0, call, b"/proc/sys/" + self.name)


class WorkingDirectory:
    """Go there; EACCES waits for the user's own rights (`run` tries again)."""

    stage = "chdir"
    __slots__ = ("path",)

    def __init__(self, path: bytes) -> None:
        self.path = path

    def describe(self) -> str:
        return f"change to {os.fsdecode(self.path)}"

    def execute(self, context: Context) -> None:
        try:
            change_directory(context.root, self.path)
        except PermissionError:
            pass


def change_directory(root: int, path: bytes) -> None:
    """Go to ``path`` below ``root`` and prove that it is inside the container. Raises OSError or ValueError with runc's words.

    Magic links are not followed, so a leaked fd cannot be reached by /proc/self/fd/N (CVE-2024-21626); such a directory has
    no path in this root besides: getcwd(2) fails, or answers ``(unreachable)/…``.
    """
    try:
        fd = openat2.openat2(root, path.lstrip(b"/") or b".", os.O_PATH | os.O_DIRECTORY)
        try:
            os.fchdir(fd)
        finally:
            os.close(fd)
    except PermissionError:
        raise
    except OSError as error:
        raise ValueError(f'chdir to cwd ("{os.fsdecode(path)}") set in config.json failed: {words(error.errno or 0)}') from None
    try:
        inside = os.getcwdb().startswith(b"/")
    except OSError:
        inside = False
    if not inside:
        os.chdir(b"/")
        raise ValueError("current working directory is outside of container mount namespace root -- possible container breakout detected")


class MakeDirectory:
    """Create a directory, before the root may become read-only."""

    stage = "chdir"
    __slots__ = ("path",)

    def __init__(self, path: bytes) -> None:
        self.path = path

    def describe(self) -> str:
        return f"create {os.fsdecode(self.path)}"

    def execute(self, context: Context) -> None:
        try:
            os.close(openat2.make_directories(context.root, self.path))
        except OSError as error:
            fail(error.errno or 0, "mkdir", self.path)
