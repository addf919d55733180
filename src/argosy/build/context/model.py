"""The value that a build works on."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Context:
    root: Path
    """A plain directory; what ``.dockerignore`` excludes is gone. Links in it may lead anywhere: only confined workers go in."""
    dockerfile: bytes
    name: str
    """The Dockerfile's path, for messages."""
    sent: Path | None = None
    """What came with it under names of its own (`named`)."""
    ignored: tuple[str, ...] = ()
    """The patterns that were applied."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A Dockerfile that was read before its context came."""

    dockerfile: bytes
    name: str
    ignored: tuple[str, ...] = ()
    """The patterns of what it does not see."""
