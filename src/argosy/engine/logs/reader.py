"""The files of a log, read piece by piece as bytes for a client: the thin shell around files, formats and the renderer.

Work is done in pieces on the event loop with a pause after each: a piece takes a fraction of a millisecond, while a thread
that decodes would keep the interpreter's lock for its 5 ms switch interval, ten times as long. Only what may wait for the disk
(opening, unpacking, searching, a piece that is not in the page cache) goes to a thread.
"""

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from argosy.base.errors import InvalidParameterError, NotImplementedInArgosyError
from argosy.engine.logs.files import PACKED, Segment, close_all, current_inode, head, newer, open_all, total_size, unpack
from argosy.engine.logs.format import Format
from argosy.engine.logs.jsonfile import JsonFile
from argosy.engine.logs.local import Local
from argosy.engine.logs.query import LogQuery, fixed
from argosy.engine.logs.render import Renderer
from argosy.runtime.model import LogPlan

PIECE = 65536
_HELD = 16
"""Files that a slow follower keeps open after they were rotated away; beyond, the oldest unread one is given up."""
_REMEMBERED = 4096
"""Bytes before the present offset that are compared before going on, to see that it is still the same file's content."""
_FORMATS: dict[str, type[Format]] = {"json-file": JsonFile, "local": Local}

T = TypeVar("T")


class Reader:
    """Segments that are still to be read, the first of them being read now.

    Raises InvalidParameterError without any stream asked for, NotImplementedInArgosyError for a driver that keeps nothing to read.
    """

    def __init__(self, plan: LogPlan, query: LogQuery, *, terminal: bool) -> None:
        if not (query.stdout or query.stderr):
            raise InvalidParameterError("Bad parameters: you must choose at least one stream")
        if plan.driver not in _FORMATS or not plan.path:
            raise NotImplementedInArgosyError("configured logging driver does not support reading")
        self.path = plan.path
        self.opened = False
        self.lapped = False
        """Rotation has taken away what was not read yet."""
        self._format = _FORMATS[plan.driver]()
        self._query = query
        self._renderer = Renderer(query, terminal=terminal)
        self._segments: deque[Segment] = deque()
        self._offset = 0
        self._skip: dict[int, str] = {}
        """Inode → entries up to this time have been sent already (the file came back under another inode, packed)."""
        self._last = b""

    @property
    def done(self) -> bool:
        return self._renderer.done

    async def open(self) -> None:
        """Open what is wanted and go to the first wanted entry."""
        await _in_thread(self._open)

    def _open(self) -> None:
        segments = open_all(self.path, newest=self._query.tail == 0)
        try:
            self._choose(segments)
        except BaseException:
            close_all(segments)
            raise
        self._segments.extend(segments)
        self.opened = True

    def _choose(self, segments: list[Segment]) -> None:
        """Drop leading segments that hold nothing wanted, and set the offset in the first that stays."""
        missing = self._query.tail
        if missing >= 0:
            for index in range(len(segments) - 1, -1, -1):
                self._unpack(segments[index])
                self._offset, missing = self._format.tail(segments[index].fd, segments[index].size(), missing)
                if missing == 0:
                    close_all(segments[:index])
                    del segments[:index]
                    return
        elif self._query.since:
            while len(segments) > 1 and segments[0].written() < self._query.since:
                segments.pop(0).close()
            if segments:
                self._unpack(segments[0])
                self._offset = self._format.seek(segments[0].fd, segments[0].size(), fixed(self._query.since))

    def _unpack(self, segment: Segment) -> None:
        if segment.packed:
            unpack(segment, os.path.dirname(self.path))

    def look_for_newer(self) -> None:
        """Open files that were begun since the last look, before a further rotation can take them away."""
        known = self._segments[-1] if self._segments else None
        if known is None:
            self._segments.extend(open_all(self.path))
            return
        inode = current_inode(self.path)
        if inode in (0, known.inode):
            return
        found, known_listed = newer(self.path, known)
        if not known_listed:
            # It was packed or removed meanwhile. Its open fd still gives all it held; what comes back of that is passed over.
            last = self._known_last(known)
            self._skip |= dict.fromkeys((segment.inode for segment in found), last)
            self.lapped = self.lapped or not self._continues(found, last)
        self._segments.extend(found)
        while len(self._segments) > _HELD:
            self._segments[1].close()
            del self._segments[1]
            self.lapped = True

    def _continues(self, found: list[Segment], last: str) -> bool:
        """Return whether these files, oldest first, begin no later than the entry of that time, which was the last one known."""
        if not found or not last:
            return not last
        first = self._format.first_time(head(found[0], PIECE))
        return bool(first) and first <= last

    def _known_last(self, known: Segment) -> str:
        """Return the time of the last entry of a file that is open here and complete."""
        size = known.size()
        start = max(0, size - PIECE)
        return self._format.last_time(os.pread(known.fd, size - start, start))

    def unread(self) -> int:
        """Return how many bytes of file are still to be read, about."""
        if not self.opened:
            return total_size(self.path)
        self.look_for_newer()
        sizes = [segment.size() * (PACKED if segment.packed else 1) for segment in self._segments]
        return sum(sizes) - (self._offset if sizes else 0)

    async def drain(self) -> AsyncIterator[bytes]:
        """Yield everything up to the present end of the last segment."""
        while self._segments and not self.done:
            segment = self._segments[0]
            if segment.packed:
                await _in_thread(self._unpack, segment)
            async for piece in self._drain_segment(segment):
                yield piece
            if len(self._segments) == 1:
                return
            # A newer file is known only after this one got another name, and nothing is written to it after that; but
            # something may have come in between the end that was reached and the renaming.
            async for piece in self._drain_segment(segment):
                yield piece
            self._segments.popleft().close()
            self._offset, self._last = 0, b""

    async def _drain_segment(self, segment: Segment) -> AsyncIterator[bytes]:
        after = self._skip.get(segment.inode, "")
        size = PIECE
        while not self.done:
            if self._last and os.pread(segment.fd, len(self._last), self._offset - len(self._last)) != self._last:
                # One file only (max-file=1): it was emptied and is being written anew.
                self._offset, self._last = 0, b""
                self.lapped = True
            data = await _read_at(segment.fd, size, self._offset)
            whole = self._format.complete(data)
            if whole == 0:
                if len(data) < size:
                    return
                # One record is longer than the piece.
                size *= 2
                continue
            data = data[:whole] if whole < len(data) else data
            self._offset += whole
            self._last = data[-_REMEMBERED:]
            size = PIECE
            if out := self._format.render(data, self._renderer, after):
                yield out
            await asyncio.sleep(0)

    def close(self) -> None:
        close_all(list(self._segments))
        self._segments.clear()


async def _in_thread(function: Callable[..., T], *args: Any) -> T:
    """Like asyncio.to_thread, but a cancelled caller waits for the thread, which may still be opening what is to be closed."""
    work = asyncio.ensure_future(asyncio.to_thread(function, *args))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait({work})
        raise


async def _read_at(fd: int, size: int, offset: int) -> bytes:
    """Return up to ``size`` bytes: at once from the page cache, in a thread when the disk has to be asked (preadv2(2))."""
    buffer = bytearray(size)
    try:
        count = os.preadv(fd, [buffer], offset, os.RWF_NOWAIT)
    except OSError:
        # EAGAIN: not in memory; EOPNOTSUPP: a file system that cannot tell.
        return await _in_thread(os.pread, fd, size, offset)
    if count == size or offset + count >= os.fstat(fd).st_size:
        return bytes(memoryview(buffer)[:count])
    return await _in_thread(os.pread, fd, size, offset)
