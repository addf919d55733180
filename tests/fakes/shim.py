"""The double of `engine.ports.Shim`: it keeps the promises that `suites.shims` puts into tests, and notes every act."""

import asyncio
import os
from collections.abc import Callable, Mapping

from argosy.base.errors import ConflictError, NotFoundError
from argosy.runtime.model import AttachRequest, ExecRequest, HoldEnded, StartFailed


class Ordered:
    """Notes calls, and fails those that a test names."""

    def __init__(self, log: list[str], fail: dict[str, Exception]) -> None:
        self.log = log
        self.fail = fail

    def note(self, word: str) -> None:
        self.log.append(word)
        if word in self.fail:
            raise self.fail.pop(word)


class FakeShim(Ordered):
    """``dies_at``: the signals that end the program; any other is ignored by it. ``tell`` hears of ends: (exec id or empty, code).

    Of execs the program ``none`` is not there, and ``hangs`` hangs in its start.
    """

    def __init__(
        self,
        container_id: str,
        log: list[str],
        fail: dict[str, Exception],
        tell: Callable[[str, int], None] = lambda exec_id, code: None,
        dies_at: Callable[[], set[int]] = lambda: {9, 15},
    ) -> None:
        super().__init__(log, fail)
        self.id, self.pid, self.pid_start = container_id, 4242, 77
        self.stands_still = self.ended = self.released = False
        self._tell, self._dies_at = tell, dies_at
        self._execs: dict[str, int] = {}
        self._hanging: dict[str, asyncio.Future[None]] = {}
        self._clients: list[asyncio.Future[None]] = []
        self._holds: set[str] = set()

    async def release(self) -> None:
        self.note("release")
        self.released = True

    async def abandon(self) -> None:
        self.note("abandon")
        self._end(137, told=self.released)

    def signal(self, number: int) -> None:
        self.note(f"signal {number}")
        if self.ended:
            raise NotFoundError(f"container {self.id} is not running")
        if number in self._dies_at():
            self._end(128 + number)

    async def hold(self) -> str:
        self._check_running()
        self._holds.add(token := f"hold {len(self._holds)}")
        return token

    async def attach(self, request: AttachRequest, sock: int, first: bytes, hold: str = "") -> "asyncio.Future[None]":
        self._check_running()
        if hold and hold not in self._holds:
            raise HoldEnded
        self._holds.discard(hold)
        self._clients.append(asyncio.get_running_loop().create_future())
        return self._clients[-1]

    async def exec(self, request: ExecRequest, sock: int | None, first: bytes) -> int:
        self._check_running()
        if request.process["args"] == ["none"]:
            raise StartFailed("no such file", 127)
        if request.process["args"] == ["hangs"]:
            self._hanging[request.exec_id] = asyncio.get_running_loop().create_future()
            await self._hanging[request.exec_id]
        self._execs[request.exec_id] = self.pid + len(self._execs) + 1
        return self._execs[request.exec_id]

    async def signal_exec(self, exec_id: str, number: int) -> None:
        self.note(f"signal {number} to an exec")
        if exec_id in self._hanging:
            self._hanging.pop(exec_id).set_exception(StartFailed("it was killed while it started", 137))
            return
        if self._execs.pop(exec_id, None) is None:
            raise NotFoundError(f"exec {exec_id} is not running")
        self._tell(exec_id, 128 + number)

    async def resize(self, exec_id: str, rows: int, columns: int) -> None:
        self.note(f"resize {rows}x{columns}")
        if exec_id and exec_id not in self._execs:
            raise NotFoundError(f"exec {exec_id} is not running")

    async def flush_logs(self) -> None:
        pass

    def kill_all(self) -> None:
        self.note("kill all")
        self._end(137)

    async def pause(self) -> None:
        self.note("pause")
        self._check_running()
        self.stands_still = True

    async def resume(self) -> None:
        self.note("resume")
        self.stands_still = False

    def paused(self) -> bool:
        return self.stands_still

    async def update(self, resources: Mapping[str, object]) -> None:
        self.note("update")

    def processes(self) -> list[int]:
        return [] if self.ended else [self.pid, *self._execs.values()]

    def sample(self) -> Mapping[str, object]:
        return {"cpu_stats": {}, "memory_stats": {}, "blkio_stats": {}, "pids_stats": {"current": os.EX_OK}}

    def _check_running(self) -> None:
        if self.ended:
            raise ConflictError(f"container {self.id} is not running")

    def _end(self, code: int, *, told: bool = True) -> None:
        if self.ended:
            return
        self.ended = True
        execs, self._execs = self._execs, {}
        for client in self._clients:
            client.set_result(None)
        if told:
            for exec_id in execs:
                self._tell(exec_id, 137)
            self._tell("", code)
