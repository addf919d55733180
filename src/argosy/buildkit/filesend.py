"""Results to the client: an archive as it comes, or a directory's files by the sending half of fsutil's protocol (see `filesync`).

The client writes them where its ``--output`` says (github.com/moby/buildkit ``session/filesync``: ``CopyFileWriter``, ``CopyToCaller``).
"""

import asyncio
import tarfile
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO, Any

from argosy.base.errors import InvalidParameterError, UnavailableError
from argosy.buildkit import filesync, messages
from argosy.buildkit.filesync import DATA, ERR, FIN, REQ, STAT
from argosy.buildkit.sessions import Session

PATH = "/moby.filesync.v1.FileSend/DiffCopy"
# Which of the client's outputs: a build has one.
_FIRST = (("buildkit-attachable-exporter-id", "0"),)
_PIECE = 32 << 10
_KINDS = {
    tarfile.DIRTYPE: filesync.DIRECTORY,
    tarfile.SYMTYPE: filesync.SYMLINK,
    tarfile.CHRTYPE: filesync.DEVICE | filesync.CHARACTER,
    tarfile.BLKTYPE: filesync.DEVICE,
    tarfile.FIFOTYPE: filesync.PIPE,
}


def check(session: Session) -> None:
    """Raise InvalidParameterError when the client takes nothing."""
    if PATH not in session.methods:
        raise InvalidParameterError("the client takes no output: its session has no FileSend")


async def archive(session: Session, body: AsyncIterator[bytes]) -> None:
    """Send one file. Raises UnavailableError when the client leaves."""
    async with session.caller.conversation(PATH, "Bytes", _FIRST) as stream:
        async for piece in body:
            for at in range(0, len(piece), _PIECE):
                await stream.send_message(messages.Bytes(data=piece[at : at + _PIECE]))
        await stream.end()
        while await stream.recv_message() is not None:
            pass


async def tree(session: Session, body: AsyncIterator[bytes], scratch: Path) -> None:
    """Send the files of a tar, which is kept in a nameless file below ``scratch`` meanwhile. Raises UnavailableError."""
    with tempfile.TemporaryFile(dir=scratch) as spool:
        async for piece in body:
            await asyncio.to_thread(spool.write, piece)
        members = await asyncio.to_thread(_members, spool)
        async with session.caller.conversation(PATH, "Packet", _FIRST) as stream:
            for member in members:
                await stream.send_message(messages.Packet(type=STAT, stat=_stat(member)))
            await stream.send_message(messages.Packet(type=STAT))
            await _answer(stream, spool, members)


async def _answer(stream: Any, spool: IO[bytes], members: list[tarfile.TarInfo]) -> None:
    """Send what the client asks for, until it has all."""
    while (packet := await stream.recv_message()) is not None:
        if packet.type == ERR:
            raise InvalidParameterError(f"error from receiver: {packet.data.decode(errors='replace')}")
        if packet.type == FIN:
            await stream.send_message(messages.Packet(type=FIN), end=True)
            continue
        if packet.type != REQ or packet.id >= len(members):
            continue
        member = members[packet.id]
        for at in range(0, member.size, _PIECE):
            spool.seek(member.offset_data + at)
            data = spool.read(min(_PIECE, member.size - at))
            if not data:
                raise UnavailableError(f"{member.name} ends early")
            await stream.send_message(messages.Packet(type=DATA, id=packet.id, data=data))
        await stream.send_message(messages.Packet(type=DATA, id=packet.id))


def _members(spool: IO[bytes]) -> list[tarfile.TarInfo]:
    """Return the entries in the order that the receiver insists on: a directory's before what sorts behind its name."""
    spool.seek(0)
    with tarfile.open(fileobj=spool) as tar:
        found = {member.name.strip("/"): member for member in tar}
    return [found[name] for name in sorted(found, key=lambda name: name.split("/")) if name not in ("", ".")]


def _stat(member: tarfile.TarInfo) -> Any:
    mode = member.mode & 0o777 | _KINDS.get(member.type, 0) | sum(flag for flag, bit in filesync.SPECIAL if member.mode & bit)
    regular = member.isreg()
    return messages.Stat(
        path=member.name.strip("/"),
        mode=mode,
        uid=member.uid,
        gid=member.gid,
        size=member.size if regular else 0,
        mtime=int(member.mtime * 10**9),
        linkname=member.linkname if member.issym() or member.islnk() else "",
        devmajor=member.devmajor,
        devminor=member.devminor,
    )
