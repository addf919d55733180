"""Room made when the disk runs full: build cache first, then images that no container uses; never volumes, never containers."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from argosy.base.units import human_size
from argosy.images.store import ImageStore
from argosy.images.watermarks import Watermarks, excess

_log = logging.getLogger(__name__)
_EVERY = 60.0
"""Seconds between two looks at the disk."""

FreeCache = Callable[[int], Awaitable[int]]
"""Told how many bytes are to be free on the disk afterwards, removes of the build cache what that takes; returns the bytes freed."""


class Reclaimer:
    """``free_cache`` is the builder's; without a builder there is no cache."""

    def __init__(self, *, images: ImageStore, path: Path, marks: Watermarks, free_cache: FreeCache | None = None) -> None:
        self._images = images
        self._path = path
        self._marks = marks
        self._free_cache = free_cache

    async def run(self) -> None:
        """Look at the disk once a minute until cancelled; return at once when no marks are set."""
        while self._marks.high:
            try:
                await self.look()
            except Exception:
                _log.exception("making room on %s failed", self._path)
            await asyncio.sleep(_EVERY)

    async def look(self) -> int:
        """Make room if the disk is above the high mark; return the bytes freed."""
        await self._images.note_use()
        used, available = await asyncio.to_thread(_filled, self._path)
        need = excess(self._marks, used=used, available=available)
        if not need:
            return 0
        _log.warning(
            "%s is %d %% full (mark: %d %%): freeing %s", self._path, _percent(used, available), self._marks.high, human_size(need)
        )
        freed = await self._free_cache(available + need) if self._free_cache is not None else 0
        if freed < need:
            freed += await self._images.give_up(need - freed)
        _log.warning("freed %s of %s", human_size(freed), human_size(need))
        return freed


def _filled(path: Path) -> tuple[int, int]:
    """Return (bytes used, bytes that may still be used): without the blocks that are root's alone, as df(1)."""
    found = os.statvfs(path)
    return (found.f_blocks - found.f_bfree) * found.f_frsize, found.f_bavail * found.f_frsize


def _percent(used: int, available: int) -> int:
    return used * 100 // max(1, used + available)
