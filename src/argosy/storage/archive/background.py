"""A digest made by a second thread of the worker, from the page cache, while the first goes on with its work.

Hashing is the slowest part of a layer's way, and each hand-over between processes or threads costs a wait when the machine is
busy. So the thread maps files and hashes each in few calls that hold no lock of the interpreter (hashlib releases the GIL).
"""

from __future__ import annotations

import mmap
import os
from _hashlib import openssl_sha256
from _queue import SimpleQueue
from _thread import allocate_lock, start_new_thread

_WINDOW = 1 << 25
_PAGE = mmap.ALLOCATIONGRANULARITY

TYPE_CHECKING = False
if TYPE_CHECKING:
    Item = bytes | tuple[int, int, int] | None


class BackgroundHash:
    """sha256 of what it is given, in that order. `finish` must be called, also after a failure."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Item] = SimpleQueue()
        self._digest = openssl_sha256()
        self._error: BaseException | None = None
        self._running = allocate_lock()
        self._running.acquire()
        start_new_thread(self._run, ())

    def data(self, data: bytes) -> None:
        self._queue.put(data)

    def file(self, fd: int, offset: int, size: int) -> None:
        """Add a part of a file, which must not shrink until `finish`; the descriptor may be closed."""
        if size:
            self._queue.put((os.dup(fd), offset, size))

    def finish(self) -> str:
        """Wait for the thread and return the digest, ``sha256:…``. Raises what went wrong in it."""
        self._queue.put(None)
        self._running.acquire()
        if self._error is not None:
            raise self._error
        return "sha256:" + self._digest.hexdigest()

    def _run(self) -> None:
        try:
            pending: list[bytes] = []
            while (item := self._queue.get()) is not None:
                if isinstance(item, bytes):
                    pending.append(item)
                    if len(pending) < 64:
                        continue
                self._digest.update(b"".join(pending))
                pending.clear()
                if isinstance(item, tuple):
                    self._file(*item)
            self._digest.update(b"".join(pending))
        except BaseException as error:
            self._error = error
        finally:
            self._running.release()

    def _file(self, fd: int, offset: int, size: int) -> None:
        try:
            while size:
                start = offset - offset % _PAGE
                step = min(size, _WINDOW)
                with mmap.mmap(fd, offset - start + step, mmap.MAP_SHARED, mmap.PROT_READ, offset=start) as window:
                    view = memoryview(window)[offset - start :]
                    self._digest.update(view)
                    view.release()
                offset += step
                size -= step
        finally:
            os.close(fd)
