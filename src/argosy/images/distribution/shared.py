"""Work that several want at once is done once, with its progress shown to all; it ends when nobody wants it any more."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from argosy.base.clock import Clock
from argosy.base.tasks import Supervisor
from argosy.images.distribution.progress import Board, Watch

T = TypeVar("T")


class Job(Generic[T]):
    def __init__(self, clock: Clock) -> None:
        self.board = Board(clock)
        self.wanted = 0
        self.result: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.task: asyncio.Task[None] | None = None

    async def run(self, work: Coroutine[Any, Any, T]) -> None:
        """Carry the work out; however it ends is the result's, so that a failure is those people's who wait for it."""
        try:
            value = await work
        except asyncio.CancelledError:
            self.result.cancel()
            raise
        except Exception as error:
            self.result.set_exception(error)
            self.result.exception()
        else:
            self.result.set_result(value)


class Shared(Generic[T]):
    def __init__(self, *, supervisor: Supervisor, clock: Clock) -> None:
        self._supervisor = supervisor
        self._clock = clock
        self._jobs: dict[str, Job[T]] = {}

    async def join(self, key: str, watch: Watch, work: Callable[[Board], Coroutine[Any, Any, T]]) -> T:
        """Return the result of the work that goes by ``key``, begun now unless it runs already."""
        job = self._jobs.get(key)
        if job is None:
            job = self._jobs[key] = Job(self._clock)
            job.task = self._supervisor.spawn(job.run(work(job.board)), name=f"transfer {key}")
            job.task.add_done_callback(lambda _, job=job: self._forget(key, job))  # type: ignore[misc]
        job.wanted += 1
        try:
            with job.board.watched(watch):
                return await asyncio.shield(job.result)
        finally:
            job.wanted -= 1
            if not job.wanted and job.task is not None and not job.task.done():
                self._forget(key, job)
                job.task.cancel()
                await asyncio.wait([job.task])

    def _forget(self, key: str, job: Job[T]) -> None:
        if not job.result.done() and job.task is not None and job.task.done():
            # Cancelled before its first step.
            job.result.cancel()
        if self._jobs.get(key) is job:
            del self._jobs[key]
