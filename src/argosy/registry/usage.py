"""How much is stored, and how much may be: quotas of repositories and of the whole.

Counts are kept in memory only where a quota asks for them. They are found by looking (at the first push to a repository, and at
boot for the whole), grown by what is pushed, and forgotten, to be found again, after each gc.
"""

import os
from collections.abc import Mapping

from argosy.base.units import human_bytes
from argosy.registry.errors import RegistryError
from argosy.registry.patterns import Pattern
from argosy.registry.storage.layout import Layout


class Usage:
    def __init__(self, *, layout: Layout, total: int = 0, repositories: Mapping[Pattern, int] | None = None) -> None:
        self._layout = layout
        self._limit = total
        self._limits = dict(repositories or {})
        """The first pattern that matches counts."""
        self._total: int | None = None
        self._sizes: dict[str, int] = {}

    def limit(self, name: str) -> int:
        """Return a repository's quota in bytes, 0 for none."""
        return next((limit for pattern, limit in self._limits.items() if pattern.matches(name)), 0)

    def needs_look(self, name: str) -> bool:
        """Say whether `look` has to come before `check`."""
        return bool((self._limit and self._total is None) or (name not in self._sizes and self.limit(name)))

    def look(self, name: str) -> None:
        """Find the sizes that `check` needs; for a thread."""
        if self._limit and self._total is None:
            self._total = tree_size(self._layout.pool)
        if name not in self._sizes and self.limit(name):
            self._sizes[name] = tree_size(f"{self._layout.repository(name)}/_blobs")

    def check(self, name: str, incoming: int) -> None:
        """Raises RegistryError DENIED with 413 when ``incoming`` bytes more are too many."""
        limit = self.limit(name)
        if limit and self._sizes.get(name, 0) + incoming > limit:
            raise _over(f"repository {name}", limit, self._sizes.get(name, 0), incoming)
        if self._limit and (self._total or 0) + incoming > self._limit:
            raise _over("registry", self._limit, self._total or 0, incoming)

    def add(self, name: str, size: int, *, pooled: bool) -> None:
        """A repository has ``size`` bytes more; ``pooled``: the registry has them too."""
        if name in self._sizes:
            self._sizes[name] += size
        if self._total is not None and pooled:
            self._total += size

    def forget(self, name: str, size: int) -> None:
        """A repository has ``size`` bytes less; the pool keeps them until gc."""
        if name in self._sizes:
            self._sizes[name] = max(0, self._sizes[name] - size)

    def forget_all(self) -> None:
        """Gc has been: look again."""
        self._total = None
        self._sizes.clear()


def tree_size(folder: str) -> int:
    """Return the bytes of all files below a folder."""
    total, waiting = 0, [folder]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except (FileNotFoundError, NotADirectoryError):
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
                continue
            try:
                total += entry.stat(follow_symlinks=False).st_size
            except FileNotFoundError:
                continue
    return total


def _over(what: str, limit: int, used: int, incoming: int) -> RegistryError:
    return RegistryError(
        "DENIED",
        f"quota of the {what} exceeded: {human_bytes(used)} used and {human_bytes(incoming)} to come, {human_bytes(limit)} allowed; "
        "remove tags and wait for garbage collection, or have the quota raised",
        status=413,
        detail={"limit": limit, "used": used, "incoming": incoming},
    )
