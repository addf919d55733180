"""Removing is a rename; the space comes back in the background, and at the next boot if the daemon dies before."""

import asyncio
import errno
import os
from pathlib import Path

from argosy.base.tasks import Supervisor
from argosy.storage.ports import Workers

_PAUSE_SECONDS = 0.2
"""What is removed together is emptied together, by one worker, and not while the next request is at work."""


class Trash:
    """One per driver home, on the same file system as what goes into it."""

    def __init__(self, path: Path, *, workers: Workers, supervisor: Supervisor, pause: float = _PAUSE_SECONDS) -> None:
        self._path = path
        self._pause = pause
        self._workers = workers
        self._supervisor = supervisor
        self._busy = False
        self._again = False
        self._elsewhere: list[Path] = []
        path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, path: Path) -> None:
        """Take the file or directory out of sight at once. Absent is fine."""
        target = self._path / f"{path.name[:64]}.{os.urandom(6).hex()}"
        try:
            path.rename(target)
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            # A volume root on a file system of its own: out of sight beside its place.
            aside = path.with_name(f".gone-{os.urandom(6).hex()}")
            path.rename(aside)
            self._elsewhere.append(aside)
        self.empty()

    def empty(self) -> None:
        """Free the space in the background; one pass at a time."""
        self._again = True
        if not self._busy:
            self._busy = True
            self._supervisor.spawn(self._run(), name=f"empty {self._path}")

    async def _run(self) -> None:
        try:
            while self._again:
                await asyncio.sleep(self._pause)
                self._again = False
                await self._clear(self._path)
                while self._elsewhere:
                    path = self._elsewhere.pop()
                    await self._clear(path)
                    path.rmdir()
        finally:
            self._busy = False

    async def _clear(self, path: Path) -> None:
        if not os.listdir(path):
            # At boot, mostly: not worth a worker.
            return
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            await self._workers.run("empty", {}, fds=[fd])
        finally:
            os.close(fd)
