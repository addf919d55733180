"""A client's directory, sent as a tar: the receiving half of fsutil's protocol (github.com/tonistiigi/fsutil ``receive.go``, ``send.go``).

The client tells of every file (STAT, in order, the first has number 0; one without content ends them), we ask for the content of those
that we want (REQ), it sends them in pieces (DATA, an empty one ends a file), several at a time, and both say FIN. What comes of it is a
tar that the same confined worker unpacks as any client's.
"""

import contextlib
import io
import stat
import tarfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote_plus

from argosy.base.errors import InvalidParameterError, UnavailableError
from argosy.build.cache.synced import Listing
from argosy.buildkit import messages
from argosy.buildkit.sessions import Session

STAT, REQ, DATA, FIN, ERR = range(5)
PATH = "/moby.filesync.v1.FileSync/DiffCopy"
_AT_ONCE = 4 << 20
"""Bytes asked for and not yet here, but for one file that is larger; what is not its turn waits in memory."""
_FILES_AT_ONCE = 256
_BLOCK = 512
# io/fs.FileMode of Go
DIRECTORY, SYMLINK, DEVICE, PIPE, SOCKET, CHARACTER = 1 << 31, 1 << 27, 1 << 26, 1 << 25, 1 << 24, 1 << 21
SPECIAL = ((1 << 23, stat.S_ISUID), (1 << 22, stat.S_ISGID), (1 << 20, stat.S_ISVTX))

Progress = Callable[[int, bool], None]
"""Takes the bytes so far, and whether these were all."""


@asynccontextmanager
async def transfer(
    session: Session, name: str, *, follow: Sequence[str] = (), exclude: Sequence[str] = (), progress: Progress = lambda count, over: None
) -> AsyncIterator["Transfer"]:
    """Ask for the client's directory ``name`` (``context``, ``dockerfile``, …); the client has told of all its files in the block.

    ``follow``: only these paths and what links among them lead to. ``exclude``: patterns as in .dockerignore.
    Raises InvalidParameterError for what the client cannot send, UnavailableError when it leaves.
    """
    if PATH not in session.methods:
        raise InvalidParameterError("the client serves no files: its session has no FileSync")
    metadata = [("dir-name", name), *_encoded("exclude-patterns", exclude), *_encoded("followpaths", follow)]
    async with session.caller.conversation(PATH, "Packet", metadata) as stream:
        yield Transfer(stream, await _stats(stream), progress)


class Transfer:
    def __init__(self, stream: Any, stats: Sequence[Any], progress: Progress) -> None:
        self._stream = stream
        self._stats = stats
        self._progress = progress
        self.listing: Listing = {
            entry.path: (entry.mode, entry.size, entry.mtime, entry.linkname, entry.devmajor, entry.devminor) for entry in stats
        }

    async def tar(self, known: Listing) -> AsyncIterator[bytes]:
        """Yield a tar of what is not ``known`` as it is. To be read to its end, once."""
        wanted = {number: entry for number, entry in enumerate(self._stats) if known.get(entry.path) != self.listing[entry.path]}
        received = _Received(self._stream, wanted)
        count = 0
        for number, entry in wanted.items():
            yield _header(entry)
            if not _has_content(entry):
                continue
            size = 0
            async for piece in received.content(number):
                size += len(piece)
                count += len(piece)
                yield piece
                self._progress(count, False)
            if size != entry.size:
                raise InvalidParameterError(f"{entry.path} changed while it was sent: {size} bytes instead of {entry.size}")
            yield bytes(-size % _BLOCK)
        yield bytes(2 * _BLOCK)
        await self._stream.send_message(messages.Packet(type=FIN), end=True)
        while (packet := await self._stream.recv_message()) is not None and packet.type != FIN:
            _check(packet)
        self._progress(count, True)


async def directory(session: Session, name: str, **options: Any) -> AsyncIterator[bytes]:
    """Yield a tar of the client's directory; arguments and errors as of `transfer`."""
    async with transfer(session, name, **options) as moved:
        async for piece in moved.tar({}):
            yield piece


async def files(session: Session, name: str, paths: Sequence[str], *, progress: Progress) -> dict[str, bytes]:
    """Return path → content of those files of the client's directory that are there, links followed by the client."""
    archive = b"".join([piece async for piece in directory(session, name, follow=paths, progress=progress)])
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        found = {}
        for path in paths:
            # A link is sent with what it leads to.
            with contextlib.suppress(KeyError):
                if (file := tar.extractfile(path)) is not None:
                    found[path] = file.read()
        return found


def _encoded(key: str, values: Sequence[str]) -> list[tuple[str, str]]:
    """Header values are ASCII: others are quoted, and a second header says so (buildkit session/filesync)."""
    if all(value.isascii() and value.isprintable() for value in values):
        return [(key, value) for value in values]
    return [(f"{key}-encoded", "1"), *((key, quote_plus(value)) for value in values)]


def _check(packet: Any) -> None:
    if packet.type == ERR:
        raise InvalidParameterError(f"error from sender: {packet.data.decode(errors='replace')}")


async def _stats(stream: Any) -> list[Any]:
    found: list[Any] = []
    while True:
        packet = await stream.recv_message()
        if packet is None:
            raise UnavailableError("the client's session has ended")
        _check(packet)
        if packet.type != STAT:
            continue
        if not packet.HasField("stat"):
            return found
        found.append(packet.stat)


def _has_content(entry: Any) -> bool:
    return not entry.mode & (DIRECTORY | SYMLINK | DEVICE | PIPE | SOCKET) and not entry.linkname


class _Received:
    """Asks for files ahead of their turn, as many as `_AT_ONCE` lets."""

    def __init__(self, stream: Any, wanted: Mapping[int, Any]) -> None:
        self._stream = stream
        self._sizes = {number: entry.size for number, entry in wanted.items() if _has_content(entry)}
        self._todo = iter(self._sizes)
        self._next: int | None = next(self._todo, None)
        self._pieces: dict[int, list[bytes]] = {}
        self._asked: dict[int, int] = {}
        self._over: set[int] = set()

    async def content(self, number: int) -> AsyncIterator[bytes]:
        """Yield a file's content; to be called in the order of the files."""
        while True:
            await self._ask()
            pieces = self._pieces.pop(number, None)
            for piece in pieces or ():
                yield piece
            if number in self._over:
                self._over.discard(number)
                return
            if not pieces:
                await self._take()

    async def _ask(self) -> None:
        while self._next is not None and (
            not self._asked or (len(self._asked) < _FILES_AT_ONCE and sum(self._asked.values()) + self._sizes[self._next] <= _AT_ONCE)
        ):
            number, self._next = self._next, next(self._todo, None)
            self._asked[number] = self._sizes[number]
            await self._stream.send_message(messages.Packet(type=REQ, id=number))

    async def _take(self) -> None:
        packet = await self._stream.recv_message()
        if packet is None:
            raise UnavailableError("the client's session has ended")
        _check(packet)
        if packet.type != DATA or packet.id not in self._asked:
            return
        if packet.data:
            self._pieces.setdefault(packet.id, []).append(packet.data)
        else:
            del self._asked[packet.id]
            self._over.add(packet.id)


def _header(entry: Any) -> bytes:
    """Return an entry's header blocks. Owners are root's: the builder makes files of a context so."""
    info = tarfile.TarInfo(entry.path)
    info.mode = entry.mode & 0o777 | sum(bit for flag, bit in SPECIAL if entry.mode & flag)
    info.mtime = entry.mtime / 10**9 if entry.mtime % 10**9 else entry.mtime // 10**9
    if entry.mode & DIRECTORY:
        info.type = tarfile.DIRTYPE
    elif entry.mode & SYMLINK:
        info.type, info.linkname = tarfile.SYMTYPE, entry.linkname
    elif entry.mode & DEVICE:
        info.type = tarfile.CHRTYPE if entry.mode & CHARACTER else tarfile.BLKTYPE
        info.devmajor, info.devminor = entry.devmajor, entry.devminor
    elif entry.mode & (PIPE | SOCKET):
        info.type = tarfile.FIFOTYPE
    elif entry.linkname:
        info.type, info.linkname = tarfile.LNKTYPE, entry.linkname
    else:
        info.size = entry.size
    info.pax_headers = {f"SCHILY.xattr.{name}": value.decode(errors="surrogateescape") for name, value in entry.xattrs.items()}
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
