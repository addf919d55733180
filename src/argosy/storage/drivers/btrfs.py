"""btrfs: each tree is a subvolume, made by snapshotting the one below. Full trees as on vfs, that cost what differs."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from argosy.linux import btrfs
from argosy.storage.model import Directory, RootMount


class Btrfs:
    """Only ``diff`` is a subvolume: a tree is moved, and found again, as on every driver, and `archive.remove` deletes the subvolumes
    that it meets, those that programs nested in a container's tree included."""

    name = "btrfs"
    overlay = False
    sized = False

    def __init__(self, *, reason: str = "") -> None:
        self.reason = reason

    def status(self) -> Sequence[tuple[str, str]]:
        return (("Backing Filesystem", "btrfs"),)

    async def seed(self, tree: Path, below: Sequence[Path]) -> None:
        # A snapshot waits for a transaction of the file system to be written.
        await asyncio.to_thread(_seed, tree, below[0] / "diff" if below else None)

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


def _seed(tree: Path, source: Path | None) -> None:
    parent = os.open(tree, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if source is None:
            btrfs.create(parent, b"diff")
            os.chmod("diff", 0o755, dir_fd=parent)
            return
        below = os.open(source, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            btrfs.snapshot(below, parent, b"diff")
        finally:
            os.close(below)
    finally:
        os.close(parent)
