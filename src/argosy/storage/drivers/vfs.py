"""Plain directories: each tree is a full copy of the one below. Slow and large, works everywhere."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from argosy.storage.model import Directory, RootMount
from argosy.storage.ports import Workers


class Vfs:
    name = "vfs"
    overlay = False
    sized = False

    def __init__(self, workers: Workers, *, reason: str = "") -> None:
        self.reason = reason
        self._workers = workers

    def status(self) -> Sequence[tuple[str, str]]:
        return ()

    async def seed(self, tree: Path, below: Sequence[Path]) -> None:
        diff = tree / "diff"
        diff.mkdir(mode=0o755)
        if not below:
            return
        fds = [os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) for path in (below[0] / "diff", diff)]
        try:
            await self._workers.run("copy_tree", {}, fds=fds)
        finally:
            for fd in fds:
                os.close(fd)

    def limit(self, name: str, tree: Path, size: int) -> None:
        raise NotImplementedError

    def release(self, tree: Path) -> None:
        """Nothing limits it."""

    def writable(self, tree: Path, below: Sequence[Path]) -> RootMount:
        return Directory(str(tree / "diff"))

    def view(self, trees: Sequence[Path]) -> RootMount:
        return Directory(str(trees[0] / "diff"))

    def graph_data(self, tree: Path, below: Sequence[Path]) -> Mapping[str, str]:
        return {}

    def expose(self, tree: Path) -> None:
        return

    def withdraw(self, tree: Path) -> None:
        return
