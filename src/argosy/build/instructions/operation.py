"""One step that changes files, ready to be looked up in the cache or done."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from argosy.build.ports import Heard
from argosy.storage.drafts import Scratch

ANYWHERE = "anywhere"
"""In place of a chain ID in such keys."""


@dataclass(frozen=True, slots=True)
class Operation:
    key: str
    """All that decides the result (`build.keys`)."""
    created_by: str
    """For the history."""
    description: str
    """For the list of cache entries."""
    apply: Callable[[Scratch, Heard], Awaitable[None]]
    """Change the scratch's files; raises with whatever was done, which is thrown away."""
    directories: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    """Places that are mounted over meanwhile."""
    anywhere: str = ""
    """The key without what lies below, where that does not count for the result (``--link``); else empty."""
    told: bool = False
    """``created_by`` and the files below decide the result."""
    runs: bool = False
    """A program runs in it."""
