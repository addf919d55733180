"""Removing is a rename; the space comes back in the background, and at the next boot if the daemon dies before."""

import os
from pathlib import Path

from argosy.base.tasks import Supervisor
from argosy.storage.ports import Workers


class Trash:
    """One per driver home, on the same file system as what goes into it."""

    def __init__(self, path: Path, *, workers: Workers, supervisor: Supervisor) -> None:
        self._path = path
        self._workers = workers
        self._supervisor = supervisor
        self._busy = False
        self._again = False
        path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, path: Path) -> None:
        """Take the file or directory out of sight at once. Absent is fine."""
        target = self._path / f"{path.name[:64]}.{os.urandom(6).hex()}"
        try:
            path.rename(target)
        except FileNotFoundError:
            return
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
                self._again = False
                fd = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                try:
                    await self._workers.run("empty", {}, fds=[fd])
                finally:
                    os.close(fd)
        finally:
            self._busy = False
