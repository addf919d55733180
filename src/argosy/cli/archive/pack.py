"""Make a tar stream piece by piece, without a thread or a temporary file."""

from __future__ import annotations

import os
import stat
import tarfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_PIECE = 1 << 18
_BLOCK = 512


class Entry:
    """A path in the archive and where it comes from: a file of ours, or ``content``."""

    __slots__ = ("content", "name", "source")

    def __init__(self, name: str, source: str = "", content: bytes | None = None) -> None:
        self.name = name
        self.source = source
        self.content = content


def walk(directory: str, *, name: str = "", prune: Callable[[str], bool] | None = None) -> Iterator[Entry]:
    """Yield everything below a directory, parents first, in order of the alphabet; ``prune`` leaves out a directory and all below."""
    with os.scandir(directory) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        inside = f"{name}/{entry.name}" if name else entry.name
        yield Entry(inside, entry.path)
        if entry.is_dir(follow_symlinks=False) and not (prune is not None and prune(inside)):
            yield from walk(entry.path, name=inside, prune=prune)


def pack(entries: Iterable[Entry], *, anonymous: bool = False) -> Iterator[bytes]:
    """Yield the archive; ``anonymous`` drops owners, as a build's context has none. Sockets are left out, hard links kept."""
    links: dict[tuple[int, int], str] = {}
    for entry in entries:
        yield from _entry(entry, links, anonymous)
    yield bytes(2 * _BLOCK)


def _entry(entry: Entry, links: dict[tuple[int, int], str], anonymous: bool) -> Iterator[bytes]:
    info = tarfile.TarInfo(entry.name)
    if entry.content is not None:
        info.size, info.mode = len(entry.content), 0o644
        yield _header(info) + entry.content + _padding(info.size)
        return
    status = os.lstat(entry.source)
    if not _describe(info, entry, status, links):
        return
    if not anonymous:
        info.uid, info.gid = status.st_uid, status.st_gid
    if not info.isreg():
        yield _header(info)
        return
    with open(entry.source, "rb") as file:
        # The size that the header promises must follow, whatever happens to the file meanwhile.
        info.size = os.fstat(file.fileno()).st_size
        yield _header(info)
        left = info.size
        while left:
            piece = file.read(min(_PIECE, left)) or bytes(min(_PIECE, left))
            left -= len(piece)
            yield piece
        yield _padding(info.size)


def _describe(info: tarfile.TarInfo, entry: Entry, status: os.stat_result, links: dict[tuple[int, int], str]) -> bool:
    """Fill in what the kind of file asks for; returns False for what an archive cannot hold."""
    mode = status.st_mode
    info.mode = stat.S_IMODE(mode)
    info.mtime = int(status.st_mtime)
    key = (status.st_dev, status.st_ino)
    if stat.S_ISDIR(mode):
        info.type = tarfile.DIRTYPE
        info.name = entry.name.rstrip("/") + "/"
    elif stat.S_ISLNK(mode):
        info.type = tarfile.SYMTYPE
        info.linkname = os.readlink(entry.source)
    elif stat.S_ISREG(mode):
        if status.st_nlink > 1 and key in links:
            info.type, info.linkname = tarfile.LNKTYPE, links[key]
        elif status.st_nlink > 1:
            links[key] = entry.name
    elif stat.S_ISFIFO(mode):
        info.type = tarfile.FIFOTYPE
    elif stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        info.type = tarfile.CHRTYPE if stat.S_ISCHR(mode) else tarfile.BLKTYPE
        info.devmajor, info.devminor = os.major(status.st_rdev), os.minor(status.st_rdev)
    else:
        return False
    return True


def _header(info: tarfile.TarInfo) -> bytes:
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _padding(size: int) -> bytes:
    return bytes(-size % _BLOCK)
