"""A descriptor that threads work on."""

import asyncio
import os
import threading
from pathlib import Path

import pytest

from argosy.storage.threaded import ThreadedFile


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


async def _closed(fd: int) -> None:
    """Return once the descriptor is closed."""
    while True:
        try:
            os.fstat(fd)
        except OSError:
            return
        await asyncio.sleep(0)


async def test_work_gets_the_descriptor_and_its_result_comes_back(tmp_path: Path) -> None:
    file = ThreadedFile(_open(tmp_path / "f"))
    assert await file.run(os.write, b"abc") == 3
    file.close()
    await asyncio.wait_for(_closed(file.fd), 10)
    assert (tmp_path / "f").read_bytes() == b"abc"


async def test_a_descriptor_stays_open_until_its_abandoned_thread_has_ended(tmp_path: Path) -> None:
    file = ThreadedFile(_open(tmp_path / "f"))
    begun, go, released = threading.Event(), threading.Event(), asyncio.Event()

    def work(fd: int) -> None:
        begun.set()
        go.wait()
        os.write(fd, b"late")

    waiter = asyncio.ensure_future(file.run(work))
    await asyncio.to_thread(begun.wait)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    file.close(released.set)
    os.fstat(file.fd)
    assert not released.is_set()
    go.set()
    await asyncio.wait_for(released.wait(), 10)
    await asyncio.wait_for(_closed(file.fd), 10)
    assert (tmp_path / "f").read_bytes() == b"late"


async def test_the_failure_of_abandoned_work_is_nobodys(tmp_path: Path) -> None:
    file = ThreadedFile(_open(tmp_path / "f"))
    begun, go, released = threading.Event(), threading.Event(), asyncio.Event()

    def work(fd: int) -> None:
        begun.set()
        go.wait()
        raise ValueError("nobody listens")

    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    waiter = asyncio.ensure_future(file.run(work))
    await asyncio.to_thread(begun.wait)
    waiter.cancel()
    await asyncio.wait([waiter])
    file.close(released.set)
    go.set()
    await asyncio.wait_for(released.wait(), 10)
    await asyncio.sleep(0)
    assert complaints == []
