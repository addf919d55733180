"""``--cache-from``: only what the named images hold counts as cached, as in the classic builder."""

from collections.abc import Sequence

from argosy.build.cache.record import CacheRecord
from argosy.build.instructions.operation import Operation
from argosy.build.solve.state import State
from argosy.images.record import Image


class CacheFrom:
    def __init__(self, images: Sequence[Image]) -> None:
        self._images = images

    def files(self, record: CacheRecord | None, operation: Operation, state: State) -> CacheRecord | None:
        """Return the entry if an image went the same way and has its files."""
        if record is None:
            return None
        chain = record.chain or None
        return record if any(self._goes(image, state, operation.created_by) and _has(image, chain) for image in self._images) else None

    def words(self, created_by: str, state: State) -> bool:
        """Return whether an image has that step of configuration at that place."""
        return any(self._goes(image, state, created_by) and _has(image, state.chain) for image in self._images)

    @staticmethod
    def _goes(image: Image, state: State, created_by: str) -> bool:
        entries = [entry.created_by for entry in image.config.history or ()]
        wanted = [*state.words, created_by]
        return entries[: len(wanted)] == wanted


def _has(image: Image, chain: str | None) -> bool:
    return chain is None or chain in image.chains
