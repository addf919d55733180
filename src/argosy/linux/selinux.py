"""SELinux labels of this process and of files (selinuxfs, xattr(7) ``security.selinux``)."""

import errno
import os

FILE_SYSTEM = "sys/fs/selinux"
_ATTRIBUTE = "security.selinux"
_UNSUPPORTED = (errno.EOPNOTSUPP, errno.ENOENT)


def enabled(root: str = "/") -> bool:
    """Return whether the kernel has a policy: until one is loaded every label is ``kernel``."""
    try:
        with open(os.path.join(root, "proc/self/attr/current"), encoding="ascii", errors="replace") as file:
            current = file.read().rstrip("\0\n")
    except OSError:
        return False
    return os.path.exists(os.path.join(root, FILE_SYSTEM, "enforce")) and ":" in current


def label_tree(path: str, label: str) -> None:
    """Give the file or directory, and all below it, the label; links are labelled themselves, never followed.

    What goes away meanwhile is fine, and a file system without labels as well. Raises OSError naming the path: a label that the
    policy does not know is EINVAL.
    """
    value = label.encode()
    if os.path.isdir(path) and not os.path.islink(path):
        # By the directories' fds: whoever writes in the tree cannot lead us out of it by a link.
        for where, directories, files, fd in os.fwalk(path, follow_symlinks=False):
            for name in (*directories, *files):
                _set(f"/proc/self/fd/{fd}/{name}", value, os.path.join(where, name))
    # Last: it says of the whole tree that it is done.
    _set(path, value, path)


def label_of(path: str) -> str:
    """Return the label of a file, not of what a link leads to; empty where there are none. Raises OSError."""
    try:
        return os.getxattr(path, _ATTRIBUTE, follow_symlinks=False).rstrip(b"\0").decode()
    except OSError as error:
        if error.errno not in (*_UNSUPPORTED, errno.ENODATA):
            raise
        return ""


def _set(path: str, value: bytes, name: str) -> None:
    try:
        os.setxattr(path, _ATTRIBUTE, value, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise OSError(error.errno, error.strerror, name) from error
