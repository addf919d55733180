"""One overlay mount, detached, for any number of layers.

Documentation/filesystems/overlayfs.rst. fsconfig refuses values of 256 bytes and more, so many layers go one by one with
``lowerdir+`` (Linux 6.7), and on older kernels by mount(2) from within the layers' common directory, with relative paths in
its single page of options.
"""

import os

from argosy.linux import mount
from argosy.linux.openat2 import opened
from argosy.linux.syscall import AT_FDCWD

_PAGE = 4096
_PLAIN = ((b"redirect_dir", b"off"), (b"metacopy", b"off"))
"""An upper layer is read again as plain files (commit, diff): a rename or a chmod must copy, whatever the kernel's default is."""


def open_overlay(
    lower: "tuple[bytes, ...]",
    upper: bytes = b"",
    work: bytes = b"",
    *,
    lowerdir_plus: bool,
    scratch: bytes = b"",
    options: "tuple[tuple[bytes, bytes | None], ...]" = (),
) -> int:
    """Return the fd of a detached overlay mount, lowest layer last in ``lower``; ``options`` are more of the file system's own.

    A single lower layer without an upper one is a read-only clone of that directory: overlayfs wants two layers there.
    ``scratch`` is an empty directory for kernels without ``lowerdir+`` when the mount has to be attached for a moment.
    """
    if not upper and len(lower) == 1:
        fd = mount.clone_tree(AT_FDCWD, lower[0])
        mount.set_attributes(fd, on=mount.ATTR_RDONLY)
        return fd
    if upper:
        options = (*_PLAIN, *options)
    if lowerdir_plus or (len(lower) == 1 and max(map(len, (*lower, upper, work))) < 256 and b":" not in lower[0]):
        return _by_fsconfig(lower, upper, work, lowerdir_plus, options)
    return _by_mount(lower, upper, work, scratch, options)


def _by_fsconfig(
    lower: "tuple[bytes, ...]", upper: bytes, work: bytes, plus: bool, options: "tuple[tuple[bytes, bytes | None], ...]"
) -> int:
    long = any(len(path) > 255 for path in (*lower, upper, work))
    with opened() as keep:
        short = [keep.path(path) if long else path for path in (*lower, upper, work)]
        pairs = [(b"lowerdir+" if plus else b"lowerdir", path) for path in short[:-2]]
        if upper:
            pairs += [(b"upperdir", short[-2]), (b"workdir", short[-1])]
        return mount.new_filesystem(b"overlay", (*pairs, *options), 0, b"overlay")


def _by_mount(
    lower: "tuple[bytes, ...]", upper: bytes, work: bytes, scratch: bytes, options: "tuple[tuple[bytes, bytes | None], ...]"
) -> int:
    base = os.path.commonpath([*lower, *((upper, work) if upper else ())])
    relative = [os.path.relpath(path, base).replace(b"\\", b"\\\\").replace(b":", b"\\:").replace(b",", b"\\,") for path in lower]
    data = b"lowerdir=" + b":".join(relative)
    if upper:
        data += b",upperdir=" + os.path.relpath(upper, base) + b",workdir=" + os.path.relpath(work, base)
    for key, value in options:
        # A security module takes quotes off: a label may hold commas (mount(8), context=).
        data += b"," + key + (b"" if value is None else b'="%s"' % value if b"," in value else b"=" + value)
    if len(data) >= _PAGE:
        raise ValueError(f"{len(lower)} layers need {len(data)} bytes of mount options, the kernel takes {_PAGE - 1}")
    before = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.chdir(base)
        mount.mount(b"overlay", scratch, b"overlay", 0, data)
    finally:
        os.fchdir(before)
        os.close(before)
    try:
        return mount.clone_tree(AT_FDCWD, scratch)
    finally:
        mount.unmount(scratch)
