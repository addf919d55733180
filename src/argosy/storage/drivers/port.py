"""What differs between storage drivers; everything else is `storage.snapshots`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from argosy.storage.model import RootMount


class Driver(Protocol):
    """A *tree* is a directory whose ``diff`` holds the files of one layer or one writable snapshot.

    ``below`` always lists the trees under it, nearest first.
    """

    name: str
    overlay: bool
    """Trees hold only what differs from those below, deletions in overlayfs' form; else each holds everything."""
    sized: bool
    """A writable tree can be limited (`limit`)."""
    reason: str
    """Why this one, for `describe`."""

    def status(self) -> Sequence[tuple[str, str]]:
        """Return ``DriverStatus`` of ``info``."""
        ...

    async def seed(self, tree: Path, below: Sequence[Path]) -> None:
        """Make the empty directory ``tree`` ready to be written to: ``diff`` and what else the driver needs."""
        ...

    def limit(self, name: str, tree: Path, size: int) -> None:
        """Let a seeded tree hold ``size`` bytes; only where it is ``sized``. Raises OSError."""
        ...

    def release(self, tree: Path) -> None:
        """Called before a writable tree goes away: what limits it is given back."""
        ...

    def writable(self, tree: Path, below: Sequence[Path]) -> RootMount:
        """Return how ``tree`` is mounted for a container."""
        ...

    def view(self, trees: Sequence[Path]) -> RootMount:
        """Return how a stack of trees, nearest first, is mounted to be read."""
        ...

    def graph_data(self, tree: Path, below: Sequence[Path]) -> Mapping[str, str]:
        """Return ``GraphDriver.Data`` of inspect; ``tree`` is the writable one, or an image's top layer."""
        ...

    def expose(self, tree: Path) -> None:
        """Called when a layer's tree is in place, and at boot for each that is there. May be repeated."""
        ...

    def withdraw(self, tree: Path) -> None:
        """Called before a layer's tree goes away."""
        ...


def describe(driver: Driver) -> Sequence[tuple[str, str]]:
    """Return ``DriverStatus`` of ``info`` with the reason why this driver was taken."""
    return (*driver.status(), ("Chosen", driver.reason))
