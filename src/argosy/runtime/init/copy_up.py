"""Copy what an image has in a directory into the tmpfs that will cover it (podman's ``tmpcopyup``)."""

import os

_CHUNK = 1 << 16
_KIND, _DIRECTORY, _REGULAR, _LINK = 0o170000, 0o040000, 0o100000, 0o120000


def copy_tree(source: int, target: int) -> None:
    """Copy the entries of directory ``source`` into ``target``, both open fds; no link is followed."""
    status = os.fstat(source)
    os.fchown(target, status.st_uid, status.st_gid)
    os.fchmod(target, status.st_mode & 0o7777)
    for name in os.listdir(source):
        _copy_entry(os.fsencode(name), source, target)


def _copy_entry(name: bytes, source: int, target: int) -> None:
    status = os.stat(name, dir_fd=source, follow_symlinks=False)
    kind = status.st_mode & _KIND
    if kind == _LINK:
        os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
    elif kind == _DIRECTORY:
        os.mkdir(name, 0o700, dir_fd=target)
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        inner, outer = os.open(name, flags, dir_fd=source), os.open(name, flags, dir_fd=target)
        copy_tree(inner, outer)
        os.close(inner)
        os.close(outer)
        return
    elif kind == _REGULAR:
        _copy_file(name, source, target)
    else:
        os.mknod(name, status.st_mode, status.st_rdev, dir_fd=target)
    os.chown(name, status.st_uid, status.st_gid, dir_fd=target, follow_symlinks=False)
    if kind != _LINK:
        os.chmod(name, status.st_mode & 0o7777, dir_fd=target)


def _copy_file(name: bytes, source: int, target: int) -> None:
    inner = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=source)
    outer = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=target)
    while part := os.read(inner, _CHUNK):
        os.write(outer, part)
    os.close(inner)
    os.close(outer)
