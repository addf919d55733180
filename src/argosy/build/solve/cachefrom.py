"""``--cache-from``: steps that are in images. Pure.

An image that was built with ``BUILDKIT_INLINE_CACHE=1`` tells the keys of its steps (`build.inline`). Of others the history tells:
the same words on the same files have been this layer, as the classic builder has it. COPY and ADD cannot be found that way, as
their words do not tell the content; they are done, and if they give the layer that the image has, what follows is found again.
"""

import re
from collections.abc import Sequence

from argosy.build import inline
from argosy.build.cache.record import REGULAR, CacheRecord
from argosy.build.instructions.operation import Operation
from argosy.build.solve.state import State
from argosy.images.record import Image, nanoseconds
from argosy.oci.image import History

_NOP = re.compile(r"\A/bin/sh -c #\(nop\)\s*")


class CacheFrom:
    """``strict``: of this host's own cache only what the images hold counts, as in the classic builder."""

    def __init__(self, images: Sequence[Image], *, strict: bool) -> None:
        self._images = images
        self._strict = strict
        self._told = [dict(inline.read(image)) for image in images]

    def files(self, record: CacheRecord | None, operation: Operation, state: State) -> CacheRecord | None:
        """Return the entry of a step: this host's own if it may be used, else one made of what an image has."""
        if record is not None and (not self._strict or self._holds(record, operation, state)):
            return record
        for image, told in zip(self._images, self._told):
            found = self._told_of(image, told, operation, state) or self._seen(image, operation, state)
            if found is not None:
                return found
        return None

    def _holds(self, record: CacheRecord, operation: Operation, state: State) -> bool:
        for image, told in zip(self._images, self._told):
            there = not record.chain or record.chain in image.chains
            if there and (operation.key in told or _entry(image, state, operation.created_by) is not None):
                return True
        return False

    def words(self, created_by: str, state: State) -> int | None:
        """Return when an image came by that step of configuration, at that place; None if none did. Ns since the epoch."""
        for image in self._images:
            found = _entry(image, state, created_by)
            if found is not None and _chain(image, state) == state.chain:
                return nanoseconds(found.created)
        return None

    @property
    def strict(self) -> bool:
        return self._strict

    def _told_of(self, image: Image, told: dict[str, int], operation: Operation, state: State) -> CacheRecord | None:
        layers = told.get(operation.key)
        if layers is None:
            return None
        chain = image.chains[layers - 1] if layers else None
        return _record(image, operation, state, chain, inline.made(image.config.history or (), layers))

    def _seen(self, image: Image, operation: Operation, state: State) -> CacheRecord | None:
        found = _entry(image, state, operation.created_by) if operation.told else None
        if found is None or _chain(image, state) != state.chain:
            return None
        below = _layers(image, len(state.words))
        if not found.empty_layer and below >= len(image.chains):
            return None
        return _record(image, operation, state, state.chain if found.empty_layer else image.chains[below], nanoseconds(found.created))


def _record(image: Image, operation: Operation, state: State, chain: str | None, created: int) -> CacheRecord:
    brought = chain != state.chain and chain in image.chains
    return CacheRecord(
        operation.key,
        REGULAR,
        parent=state.record,
        chain=chain or "",
        diff_id=image.config.diff_ids[image.chains.index(chain)] if brought and chain is not None else "",
        created=created,
        description=operation.description,
    )


def _entry(image: Image, state: State, created_by: str) -> History | None:
    """Return the image's entry for the step, if it went the same way before."""
    history = image.config.history or ()
    way = [*state.words, created_by]
    if len(history) < len(way) or any(_plain(entry.created_by) != _plain(words) for entry, words in zip(history, way)):
        return None
    return history[len(way) - 1]


def _plain(created_by: str) -> str:
    """Return the words of a step without what makes builders' ways of writing them differ; of a copy only that it is one."""
    text = _NOP.sub("", created_by).removesuffix(" # buildkit").strip()
    verb = text.partition(" ")[0]
    return verb if verb in ("COPY", "ADD") else text.removeprefix("RUN ")


def _layers(image: Image, entries: int) -> int:
    return sum(not entry.empty_layer for entry in (image.config.history or ())[:entries])


def _chain(image: Image, state: State) -> str | None:
    """Return what the image had where the state stands."""
    layers = _layers(image, len(state.words))
    return image.chains[layers - 1] if 0 < layers <= len(image.chains) else None
