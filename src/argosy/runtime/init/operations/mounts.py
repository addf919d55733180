"""Mounts of a container. Destinations are resolved by the kernel inside the container's root; sources never are here."""

import os

from argosy.linux import mount, openat2
from argosy.linux.syscall import AT_FDCWD, SyscallError, fail, words
from argosy.runtime.init.context import Context
from argosy.runtime.init.copy_up import copy_tree

_ENOTDIR = 20


class Propagation:
    """Set the propagation of what is mounted at ``path`` and below."""

    stage = "rootfs"
    __slots__ = ("flag", "path")

    def __init__(self, path: bytes, flag: int) -> None:
        self.path = path
        self.flag = flag

    def describe(self) -> str:
        return f"set propagation of {os.fsdecode(self.path)} to {self.flag:#x}"

    def execute(self, context: Context) -> None:
        mount.set_propagation(self.path, self.flag)


class AttachRoot:
    """Attach the detached root at ``point``, a directory of the host, in this mount namespace only."""

    stage = "rootfs"
    __slots__ = ("point",)

    def __init__(self, point: bytes) -> None:
        self.point = point

    def describe(self) -> str:
        return f"attach the root file system at {os.fsdecode(self.point)}"

    def execute(self, context: Context) -> None:
        mount.attach(context.root, AT_FDCWD, self.point)
        os.fchdir(context.root)


class Filesystem:
    """Mount a new file system at ``to``, which is created where it is missing."""

    stage = "mount"
    __slots__ = ("attributes", "copy_up", "kind", "label", "options", "propagation", "source", "to")

    def __init__(
        self,
        kind: bytes,
        to: bytes,
        source: bytes = b"",
        attributes: int = 0,
        options: "tuple[tuple[bytes, bytes | None], ...]" = (),
        propagation: int = 0,
        copy_up: bool = False,
        label: bytes = b"",
    ) -> None:
        self.copy_up = copy_up
        self.label = label
        self.kind = kind
        self.to = to
        self.source = source
        self.attributes = attributes
        self.options = options
        self.propagation = propagation

    def describe(self) -> str:
        return f"mount {os.fsdecode(self.kind)} at {os.fsdecode(self.to)}"

    def execute(self, context: Context) -> None:
        options = self._inherit_mode(context) if self.kind == b"tmpfs" else self.options
        to = openat2.make_directories(context.root, self.to)
        try:
            if self.kind in (b"proc", b"sysfs"):
                _refuse_links(context, self.to, to)
            fd = mount.new_filesystem(self.kind, options, self.attributes, self.source)
            if self.propagation:
                mount.set_attributes(fd, propagation=self.propagation)
            if self.copy_up:
                _copy_up(context, self.to, fd)
            mount.attach(fd, to)
            if self.label:
                os.setxattr(b"/proc/self/fd/%d" % fd, b"security.selinux", self.label)
        finally:
            os.close(to)
        if self.kind == b"devpts":
            context.devpts = fd
        else:
            os.close(fd)

    def _inherit_mode(self, context: Context) -> "tuple[tuple[bytes, bytes | None], ...]":
        """A tmpfs over a directory of the image takes that directory's mode unless one was asked for (as runc)."""
        if any(key == b"mode" for key, _ in self.options):
            return self.options
        try:
            below = openat2.resolve(context.root, self.to)
        except OSError:
            return self.options
        mode = os.fstat(below).st_mode & 0o7777
        os.close(below)
        return (*self.options, (b"mode", b"%o" % mode))


def _copy_up(context: Context, path: bytes, to: int) -> None:
    source = openat2.openat2(context.root, path.lstrip(b"/"), os.O_RDONLY | os.O_DIRECTORY)
    writable = os.open(b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=to)
    copy_tree(source, writable)
    os.close(writable)
    os.close(source)


def _refuse_links(context: Context, path: bytes, reached: int) -> None:
    """/proc and /sys must lie where they are named (CVE-2019-16884: an image's symlink moved them aside)."""
    try:
        direct = openat2.openat2(context.root, path.lstrip(b"/"), os.O_PATH, resolve=openat2.IN_ROOT | openat2.NO_SYMLINKS)
    except OSError as error:
        raise ValueError(f"{os.fsdecode(path)} must be a plain directory of the container") from error
    try:
        if not os.path.sameopenfile(direct, reached):
            raise ValueError(f"{os.fsdecode(path)} must be a plain directory of the container")
    finally:
        os.close(direct)


class Bind:
    """Attach bind mount number ``index`` at ``to``; its source was opened by the parent."""

    stage = "mount"
    __slots__ = ("index", "source", "to")

    def __init__(self, index: int, to: bytes, source: bytes = b"") -> None:
        self.index = index
        self.to = to
        self.source = source
        """For the error's words only."""

    def describe(self) -> str:
        return f"bind {os.fsdecode(self.source)} at {os.fsdecode(self.to)}"

    def execute(self, context: Context) -> None:
        fd, is_directory = context.binds[self.index]
        try:
            to = openat2.make_directories(context.root, self.to) if is_directory else openat2.make_file(context.root, self.to)
            try:
                self._refuse_proc(context, to)
                if not is_directory and os.fstat(to).st_mode & 0o170000 == 0o040000:
                    fail(_ENOTDIR, "mount")  # move_mount says EINVAL, mount(2) what users know
                mount.attach(fd, to)
            finally:
                os.close(to)
                os.close(fd)
        except OSError as error:
            raise _explained(error, self.source, self.to) from None

    def _refuse_proc(self, context: Context, to: int) -> None:
        """Nothing is mounted inside /proc but by name: a link of the image must not lead a bind onto /proc/self/attr."""
        if openat2.filesystem_type(to) != openat2.PROC_MAGIC:
            return
        direct = b"/" + b"/".join(part for part in self.to.split(b"/") if part)
        if direct != b"/proc" and not direct.startswith(b"/proc/"):
            raise ValueError(f"the mount at {os.fsdecode(self.to)} would end inside /proc")
        if direct not in _MAY_COVER:
            raise ValueError(f'"{os.fsdecode(self.to)}" cannot be mounted because it is inside /proc')


def _explained(error: OSError, source: bytes, to: bytes) -> SyscallError:
    explained = SyscallError(error.errno, words(error.errno or 0))
    call = error.call if isinstance(error, SyscallError) else "open"
    explained.call = f'error mounting "{os.fsdecode(source)}" to rootfs at "{os.fsdecode(to)}": {call}'
    return explained


# As runc's checkProcMount: what lxcfs and others put over single files.
_MAY_COVER = frozenset(
    b"/proc/" + name
    for name in (b"cpuinfo", b"diskstats", b"meminfo", b"stat", b"swaps", b"uptime", b"loadavg", b"slabinfo", b"sys/kernel/ns_last_pid")
) | {b"/proc"}


class LegacyCgroups:
    """A tmpfs with one directory a v1 hierarchy, as seen from the container's cgroup namespace.

    ``hierarchies`` are (directory, options of the file system, index of a bind or -1); ``links`` are (link, directory)
    for hierarchies that carry two controllers.
    """

    stage = "mount"
    __slots__ = ("attributes", "hierarchies", "links", "to")

    def __init__(
        self,
        to: bytes,
        attributes: int,
        hierarchies: "tuple[tuple[bytes, tuple[tuple[bytes, bytes | None], ...], int], ...]",
        links: "tuple[tuple[bytes, bytes], ...]" = (),
    ) -> None:
        self.to = to
        self.attributes = attributes
        self.hierarchies = hierarchies
        self.links = links

    def describe(self) -> str:
        return f"mount {len(self.hierarchies)} cgroup v1 hierarchies below {os.fsdecode(self.to)}"

    def execute(self, context: Context) -> None:
        to = openat2.make_directories(context.root, self.to)
        fd = mount.new_filesystem(b"tmpfs", ((b"mode", b"755"),), self.attributes & ~mount.ATTR_RDONLY, b"tmpfs")
        mount.attach(fd, to)
        os.close(to)
        for name, options, index in self.hierarchies:
            os.mkdir(name, 0o755, dir_fd=fd)
            if index >= 0:
                hierarchy = context.binds[index][0]
            else:
                hierarchy = mount.new_filesystem(b"cgroup", options, self.attributes, b"cgroup")
            mount.attach(hierarchy, fd, name)
            os.close(hierarchy)
        for link, directory in self.links:
            os.symlink(directory, link, dir_fd=fd)
        if self.attributes & mount.ATTR_RDONLY:
            mount.set_attributes(fd, on=mount.ATTR_RDONLY)
        os.close(fd)


class RootReadOnly:
    """``--read-only``: the root mount alone, not what is mounted in it."""

    stage = "rootfs"
    __slots__ = ()

    def describe(self) -> str:
        return "make the root file system read-only"

    def execute(self, context: Context) -> None:
        mount.set_attributes(context.root, on=mount.ATTR_RDONLY)


class Pivot:
    """Make the container's root the root of this namespace and let the host's go (pivot_root(2), "pivot_root(".", ".")")."""

    stage = "rootfs"
    __slots__ = ("move",)

    def __init__(self, move: bool = False) -> None:
        self.move = move
        """On an initramfs, which cannot be pivoted away (``--no-pivot``)."""

    def describe(self) -> str:
        return "pivot into the root file system"

    def execute(self, context: Context) -> None:
        os.fchdir(context.root)
        if self.move:
            mount.mount(b".", b"/", b"", mount.MS_MOVE)
            os.chroot(b".")
        else:
            mount.pivot_root(b".", b".")
            # The old root now lies over the new one. It must not propagate its unmounting to the host.
            mount.set_propagation(b".", mount.MS_REC | mount.MS_PRIVATE)
            mount.unmount(b".", mount.MNT_DETACH)
        os.chdir(b"/")
