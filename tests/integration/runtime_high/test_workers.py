"""File work in processes that see only their tree."""

import asyncio
import os
import select
from collections.abc import AsyncIterator

import pytest

from argosy.base.errors import ArgosyError, SystemFailureError
from argosy.runtime.client import LauncherWorkers
from argosy.storage.model import Directory, Overlay

from .conftest import Bench


@pytest.fixture
async def workers(scratch: str) -> AsyncIterator[LauncherWorkers]:
    made = LauncherWorkers(exec_root=os.path.join(scratch, "workers"), daemon_id="test")
    yield made
    await made.close()


async def test_directory_root(workers: LauncherWorkers, scratch: str) -> None:
    os.makedirs(os.path.join(scratch, "tree", "sub"))
    found = await workers.run("stat", {"path": "/sub"}, root=Directory(os.path.join(scratch, "tree")))
    assert found["name"] == "sub"
    with pytest.raises(ArgosyError):
        await workers.run("stat", {"path": "/etc/hostname"}, root=Directory(os.path.join(scratch, "tree")))


async def test_overlay_root_sees_all_layers(workers: LauncherWorkers, scratch: str) -> None:
    for name in ("low", "up", "work"):
        os.makedirs(os.path.join(scratch, name))
    with open(os.path.join(scratch, "low", "below"), "w"):
        pass
    root = Overlay((os.path.join(scratch, "low"),), os.path.join(scratch, "up"), os.path.join(scratch, "work"))
    assert (await workers.run("stat", {"path": "/below"}, root=root))["name"] == "below"


async def test_fds_arrive_in_order_and_stay_the_callers(workers: LauncherWorkers, scratch: str) -> None:
    os.makedirs(os.path.join(scratch, "from", "deep"))
    os.makedirs(os.path.join(scratch, "to"))
    fds = [os.open(os.path.join(scratch, name), os.O_RDONLY | os.O_DIRECTORY) for name in ("from", "to")]
    await workers.run("copy_tree", {}, fds=fds)
    for fd in fds:
        os.close(fd)
    assert os.path.isdir(os.path.join(scratch, "to", "deep"))


async def test_root_of_a_running_container(workers: LauncherWorkers, bench: Bench) -> None:
    shim = await bench.start("sleep", "1000")
    assert (await workers.run("stat", {"path": "/bin/busybox"}, root=shim.pid))["name"] == "busybox"
    await bench.kill(shim)


async def test_unknown_job_and_killed_launcher(workers: LauncherWorkers, scratch: str) -> None:
    with pytest.raises(SystemFailureError):
        await workers.run("nosuch", {})
    os.kill(workers.launcher.pid, 9)
    assert (await workers.run("stat", {"path": "/"}, root=Directory(scratch)))["name"]


async def test_cancelled_job_is_killed(workers: LauncherWorkers, scratch: str) -> None:
    """The job waits for input; when it is killed its copy of the pipe closes, and we see the end."""
    await workers.run("stat", {"path": "/"}, root=Directory(scratch))
    read, write = os.pipe()
    job = asyncio.ensure_future(workers.run("unpack", {"path": "/"}, fds=[read], root=Directory(scratch)))
    os.write(write, b"x")
    while _waiting(read):
        await asyncio.sleep(0.01)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    os.close(read)
    for _ in range(1000):
        try:
            os.write(write, b"x" * 4096)
        except BrokenPipeError:
            break
        await asyncio.sleep(0.01)
    else:
        raise AssertionError("the worker still holds the pipe")
    os.close(write)


def _waiting(fd: int) -> bool:
    """Whether there is still something to read."""
    return bool(select.select([fd], [], [], 0)[0])
