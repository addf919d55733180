"""Bytes between the event loop and a worker's pipe."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator

_SIZE = 1 << 20
"""What an unprivileged process may ask for (/proc/sys/fs/pipe-max-size); pipe(7)."""


def make_pipe() -> tuple[int, int]:
    """Return (read end, write end), both close-on-exec and as large as the kernel gives."""
    read, write = os.pipe2(os.O_CLOEXEC)
    try:
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, _SIZE)
    except OSError:
        # The user's share of pipe memory is used up; 64 KiB work too, more slowly.
        return read, write
    return read, write


async def feed(write: int, body: AsyncIterator[bytes]) -> None:
    """Write the whole body to the pipe and close it. A reader that left is not an error: its own result says why."""
    loop = asyncio.get_running_loop()
    os.set_blocking(write, False)
    try:
        async for chunk in body:
            view = memoryview(chunk)
            while view:
                try:
                    view = view[os.write(write, view) :]
                except BlockingIOError:
                    await _ready(loop.add_writer, loop.remove_writer, write)
    except BrokenPipeError:
        return
    finally:
        os.close(write)


async def drain(read: int) -> AsyncIterator[bytes]:
    """Yield what comes out of the pipe until its end, and close it in any case."""
    try:
        async for chunk in pieces(read):
            yield chunk
    finally:
        os.close(read)


async def pieces(read: int) -> AsyncIterator[bytes]:
    """The same, leaving the pipe to be closed by the caller, who may never come to take the first piece."""
    loop = asyncio.get_running_loop()
    os.set_blocking(read, False)
    while True:
        try:
            chunk = os.read(read, _SIZE)
        except BlockingIOError:
            await _ready(loop.add_reader, loop.remove_reader, read)
            continue
        if not chunk:
            return
        yield chunk


async def _ready(add: object, remove: object, fd: int) -> None:
    assert callable(add) and callable(remove)
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    add(fd, _wake, ready)
    try:
        await ready
    finally:
        remove(fd)


def _wake(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)
