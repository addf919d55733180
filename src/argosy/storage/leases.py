"""What is in use by work that is not finished, so that a removal at the same time leaves it alone.

Leases live in memory only: after a crash nobody works any more, and what no record names is swept at boot.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Leases:
    """Counts holders by key (a chain ID, a digest)."""

    def __init__(self) -> None:
        self._holders: Counter[str] = Counter()

    def acquire(self, key: str) -> None:
        self._holders[key] += 1

    def release(self, key: str) -> None:
        self._holders[key] -= 1
        if self._holders[key] <= 0:
            del self._holders[key]

    @contextmanager
    def hold(self, *keys: str) -> Iterator[None]:
        """Keep these keys from being collected while the block runs."""
        for key in keys:
            self.acquire(key)
        try:
            yield
        finally:
            for key in keys:
                self.release(key)

    def count(self, key: str) -> int:
        return self._holders[key]

    def held(self) -> frozenset[str]:
        return frozenset(self._holders)
