"""A client's archive, kept in a nameless file while it is taken apart: nothing of it outlives the daemon."""

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from argosy.storage import compression, hashing
from argosy.storage.limits import Limits
from argosy.storage.threaded import ThreadedFile

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Spool:
    file: ThreadedFile
    size: int

    @property
    def fd(self) -> int:
        return self.file.fd

    async def release(self) -> None:
        """Give its pages back before the file system is synced: what was only passing through need not reach the disk."""
        await self.file.run(os.ftruncate, 0)


@asynccontextmanager
async def spooled(body: AsyncIterator[bytes], directory: Path) -> AsyncIterator[Spool]:
    """Receive the whole body and yield it as an open file."""
    file = ThreadedFile(_nameless(directory))
    try:
        size = 0
        parts: list[bytes] = []
        pending = 0
        async for chunk in body:
            parts.append(chunk)
            pending += len(chunk)
            if pending >= _CHUNK:
                await file.run(_write, parts)
                size += pending
                parts, pending = [], 0
        await file.run(_write, parts)
        yield Spool(file, size + pending)
    finally:
        file.close()


@asynccontextmanager
async def plain(spool: Spool, directory: Path, limits: Limits) -> AsyncIterator[Spool]:
    """Yield the archive decompressed, in a nameless file of its own if it was compressed; the first is given back then.

    Raises InvalidParameterError on damaged data or beyond ``limits``.
    """
    kind = compression.detect(os.pread(spool.fd, min(8, spool.size), 0))
    if not kind:
        yield spool
        return
    file = ThreadedFile(_nameless(directory))
    try:
        size = await file.run(_expand, os.dup(spool.fd), spool.size, kind, limits)
        await spool.release()
        yield Spool(file, size)
    finally:
        file.close()


def _expand(fd: int, source: int, size: int, kind: str, limits: Limits) -> int:
    # A copy of the source's number: the archive may be closed while this thread still reads it.
    try:
        return hashing.expand(source, size, kind, fd, limits)
    finally:
        os.close(source)


def _nameless(directory: Path) -> int:
    try:
        return os.open(directory, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        # Not every file system has O_TMPFILE (open(2)).
        fd, name = tempfile.mkstemp(dir=directory)
        os.unlink(name)
        return fd


def _write(fd: int, parts: list[bytes]) -> None:
    for part in parts:
        view = memoryview(part)
        while view:
            view = view[os.write(fd, view) :]
