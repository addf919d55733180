"""What the engine may rely on of a shim, the real one and the double. A class for each subclasses `ShimContract`."""

import asyncio
import os
import socket
from typing import Any, Protocol

import pytest

from argosy.base.errors import ConflictError, NotFoundError
from argosy.base.ids import new_id
from argosy.engine.ports import Shim
from argosy.runtime.model import AttachRequest, ExecRequest, HoldEnded

REQUEST = AttachRequest(stdin=False, stdout=True, stderr=True)


class World(Protocol):
    """Where shims come from; their programs run until they are ended."""

    async def prepare(self) -> Shim: ...
    async def code(self, shim: Any, exec_id: str = "") -> int:
        """Return how it ended, waiting for that."""
        ...


def request() -> ExecRequest:
    process = {"args": ["sleep", "1000"], "env": ["PATH=/bin"], "cwd": "/", "user": {"uid": 0, "gid": 0}}
    return ExecRequest(exec_id=new_id(), process=process, terminal=False, console_size=(0, 0), privileged=False, attach=None)


class ShimContract:
    @pytest.fixture
    async def world(self) -> Any:
        raise NotImplementedError

    @pytest.fixture
    async def shim(self, world: World) -> Any:
        shim = await world.prepare()
        await shim.release()
        yield shim
        shim.kill_all()
        await world.code(shim)

    async def test_a_signal_ends_it(self, world: World, shim: Shim) -> None:
        shim.signal(9)
        assert await world.code(shim) == 137

    async def test_killing_everything_ends_it_with_its_execs(self, world: World, shim: Shim) -> None:
        run = request()
        await shim.exec(run, None, b"")
        shim.kill_all()
        assert await world.code(shim, run.exec_id) == 137
        assert await world.code(shim) == 137
        assert shim.processes() == []

    async def test_what_has_ended_takes_neither_signals_nor_clients_nor_execs(self, world: World, shim: Shim) -> None:
        shim.kill_all()
        await world.code(shim)
        with pytest.raises(NotFoundError):
            shim.signal(9)
        with pytest.raises(ConflictError):
            await shim.exec(request(), None, b"")
        with pytest.raises(ConflictError):
            await shim.hold()
        with pytest.raises(ConflictError):
            await shim.attach(REQUEST, 0, b"")
        await shim.flush_logs()
        await shim.resume()

    async def test_it_stands_still_between_pause_and_resume(self, shim: Shim) -> None:
        assert not shim.paused()
        await shim.pause()
        assert shim.paused()
        await shim.resume()
        assert not shim.paused()

    async def test_an_exec_is_one_of_its_processes_and_ends_by_a_signal(self, world: World, shim: Shim) -> None:
        run = request()
        pid = await shim.exec(run, None, b"")
        assert sorted(shim.processes()) == sorted([shim.pid, pid])
        await shim.signal_exec(run.exec_id, 9)
        assert await world.code(shim, run.exec_id) == 137
        assert shim.processes() == [shim.pid]

    async def test_an_unknown_exec_takes_neither_signal_nor_size(self, shim: Shim) -> None:
        with pytest.raises(NotFoundError):
            await shim.signal_exec("unknown", 9)
        with pytest.raises(NotFoundError):
            await shim.resize("unknown", 1, 1)

    async def test_an_attach_after_a_hold_needs_that_very_one(self, shim: Shim) -> None:
        ours, theirs = socket.socketpair()
        hold = await shim.hold()
        with pytest.raises(HoldEnded):
            await shim.attach(REQUEST, theirs.fileno(), b"", "of somebody else")
        ended = await shim.attach(REQUEST, theirs.fileno(), b"", hold)
        with pytest.raises(HoldEnded):
            await shim.attach(REQUEST, theirs.fileno(), b"", hold)
        assert not ended.done()
        shim.kill_all()
        await asyncio.wait_for(ended, 10)
        ours.close()
        theirs.close()

    async def test_limits_change_and_counters_are_told(self, shim: Shim) -> None:
        await shim.update({"pids": {"limit": 50}})
        assert {"cpu_stats", "memory_stats", "blkio_stats", "pids_stats"} <= set(shim.sample())

    async def test_a_start_that_is_abandoned_leaves_nothing(self, world: World) -> None:
        shim = await world.prepare()
        await shim.abandon()
        assert shim.processes() == []
        with pytest.raises(ConflictError):
            await shim.attach(REQUEST, os.EX_OK, b"")

    async def test_abandoned_when_it_runs_already_it_is_killed(self, world: World, shim: Shim) -> None:
        await shim.abandon()
        assert await world.code(shim) == 137
