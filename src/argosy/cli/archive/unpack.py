"""Take apart a tar stream that a container's filesystem made: what it says is not to be trusted.

Nothing is ever written outside of the target: names with ``..`` are refused, and no symbolic link is followed on the way to a name,
since every step goes through ``openat`` with O_NOFOLLOW from the target's own descriptor.
"""

from __future__ import annotations

import io
import os
import tarfile

from argosy.base.errors import ArgosyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = 1 << 18
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class UnpackError(ArgosyError):
    """An archive that must not or cannot be unpacked."""


class Pieces(io.RawIOBase):
    """A readable file over an iterator of bytes."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = next(self._pieces, b"")
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        self.count += size
        return size


def unpack(pieces: Iterator[bytes], parent: str, name: str, *, owners: bool) -> int:
    """Unpack so that the archive's first entry becomes ``parent/name``, or ``parent`` itself when ``name`` is empty.

    ``owners`` keeps numeric ids, which only root can. Returns the bytes of the archive. Raises UnpackError.
    """
    source = Pieces(pieces)
    target = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _unpack(source, target, name, owners)
        while source.read(_PIECE):
            pass
    except tarfile.TarError as error:
        raise UnpackError(f"the archive is broken: {error}") from None
    finally:
        os.close(target)
    return source.count


def _unpack(source: Pieces, target: int, name: str, owners: bool) -> None:
    root: str | None = None
    times: list[tuple[str, float, int]] = []
    with tarfile.open(fileobj=io.BufferedReader(source, _PIECE), mode="r|") as archive:
        for entry in archive:
            clean = _clean(entry.name)
            if root is None:
                root = clean
            inside = _rebase(clean, root, name)
            if entry.islnk():
                entry.linkname = _rebase(_clean(entry.linkname), root, name)
            if inside:
                _one(archive, entry, target, inside, owners)
            if entry.isdir():
                times.append((inside, entry.mtime, entry.mode))
    # Writing into a directory changes its time, and a read-only one could not have been written into.
    for inside, mtime, mode in reversed(times):
        _finish_directory(target, inside, mtime, mode)


def _clean(name: str) -> str:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise UnpackError(f"invalid entry in archive: {name}")
    return "/".join(parts)


def _rebase(inside: str, root: str, name: str) -> str:
    """Put the target's name in place of the archive's root."""
    if root and inside != root and not inside.startswith(root + "/"):
        raise UnpackError(f"invalid entry in archive: {inside} is not below {root}")
    rest = inside.removeprefix(root).strip("/")
    return "/".join(part for part in (name, rest) if part)


def _parent(target: int, inside: str) -> tuple[int, str]:
    """Open the directory of a name step by step, making what is missing; raises UnpackError at a symbolic link."""
    *directories, last = inside.split("/")
    fd = os.dup(target)
    try:
        for directory in directories:
            try:
                deeper = os.open(directory, _DIRECTORY, dir_fd=fd)
            except FileNotFoundError:
                os.mkdir(directory, 0o755, dir_fd=fd)
                deeper = os.open(directory, _DIRECTORY, dir_fd=fd)
            os.close(fd)
            fd = deeper
    except OSError as error:
        os.close(fd)
        raise UnpackError(f"cannot unpack {inside}: {directory}: {error.strerror}") from None
    return fd, last


def _one(archive: tarfile.TarFile, entry: tarfile.TarInfo, target: int, inside: str, owners: bool) -> None:
    parent, last = _parent(target, inside)
    try:
        _make(archive, entry, parent, last, target)
        if owners:
            os.chown(last, entry.uid, entry.gid, dir_fd=parent, follow_symlinks=False)
        if not entry.issym() and not entry.islnk() and not entry.isdir():
            os.chmod(last, entry.mode & 0o7777, dir_fd=parent)
        if not entry.isdir() and not entry.islnk():
            os.utime(last, (entry.mtime, entry.mtime), dir_fd=parent, follow_symlinks=False)
    except OSError as error:
        raise UnpackError(f"cannot unpack {inside}: {error.strerror}") from None
    finally:
        os.close(parent)


def _make(archive: tarfile.TarFile, entry: tarfile.TarInfo, parent: int, last: str, target: int) -> None:
    if entry.isdir():
        try:
            os.mkdir(last, 0o700, dir_fd=parent)
        except FileExistsError:
            os.close(os.open(last, _DIRECTORY, dir_fd=parent))
        return
    _clear(parent, last)
    if entry.isreg():
        fd = os.open(last, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=parent)
        content = archive.extractfile(entry)
        with os.fdopen(fd, "wb") as file:
            while content is not None and (piece := content.read(_PIECE)):
                file.write(piece)
    elif entry.issym():
        os.symlink(entry.linkname, last, dir_fd=parent)
    elif entry.islnk():
        other, other_last = _parent(target, entry.linkname)
        try:
            os.link(other_last, last, src_dir_fd=other, dst_dir_fd=parent, follow_symlinks=False)
        finally:
            os.close(other)
    elif entry.isfifo():
        os.mkfifo(last, entry.mode & 0o7777, dir_fd=parent)
    elif entry.ischr() or entry.isblk():
        kind = 0o020000 if entry.ischr() else 0o060000
        os.mknod(last, (entry.mode & 0o7777) | kind, os.makedev(entry.devmajor, entry.devminor), dir_fd=parent)


def _clear(parent: int, last: str) -> None:
    """What is in the way goes, unless it is a directory, which a file never replaces."""
    try:
        os.unlink(last, dir_fd=parent)
    except FileNotFoundError:
        pass
    except IsADirectoryError:
        raise UnpackError(f"cannot overwrite directory with non-directory {last}") from None


def _finish_directory(target: int, inside: str, mtime: float, mode: int) -> None:
    if not inside:
        return
    parent, last = _parent(target, inside)
    try:
        fd = os.open(last, _DIRECTORY, dir_fd=parent)
        try:
            os.fchmod(fd, mode & 0o7777)
            os.utime(fd, (mtime, mtime))
        finally:
            os.close(fd)
    except OSError as error:
        raise UnpackError(f"cannot unpack {inside}: {error.strerror}") from None
    finally:
        os.close(parent)
