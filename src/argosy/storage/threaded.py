"""A descriptor that threads work on. Who is cancelled stops waiting for its thread, not the thread: until that has ended the
number must not be given to another file."""

import asyncio
import os
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class ThreadedFile:
    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._work: asyncio.Future[Any] | None = None

    async def run(self, work: Callable[..., T], *args: object) -> T:
        """Do ``work(fd, *args)`` in a thread, one at a time, and return its result."""
        future = asyncio.get_running_loop().run_in_executor(None, work, self.fd, *args)
        self._work = future
        return await asyncio.shield(future)

    def close(self, then: Callable[[], object] = lambda: None) -> None:
        """Close it when its thread is done with it, then call ``then``; at once when none is at work.

        In a thread: the last to hold a nameless file frees its pages and blocks, which takes as long as it is large.
        """
        if self._work is None or self._work.done():
            self._close(then)
        else:
            self._work.add_done_callback(lambda work: self._left(work, then))

    def _left(self, work: "asyncio.Future[Any]", then: Callable[[], object]) -> None:
        if not work.cancelled():
            # Nobody waits for it any more; asked for, so that asyncio does not complain.
            work.exception()
        self._close(then)

    def _close(self, then: Callable[[], object]) -> None:
        asyncio.get_running_loop().run_in_executor(None, os.close, self.fd)
        then()
