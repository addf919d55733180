"""What an image tells of the steps that made it, so that a build elsewhere can take them from it. Pure.

In the image's configuration, under ``argosy.build.cache``: pairs of a step's key and how many layers there are after it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from argosy.images.record import Image, nanoseconds
from argosy.oci.image import History


def written(steps: Iterable[tuple[str, str | None]], chains: Sequence[str]) -> list[list[Any]] | None:
    """Return what goes into the configuration; ``steps``: key and chain ID after it. Steps whose layer is not in the image are left out."""
    places: Mapping[str | None, int] = {None: 0, **{chain: number for number, chain in enumerate(chains, 1)}}
    return [[key, places[chain]] for key, chain in steps if chain in places] or None


def read(image: Image) -> Iterator[tuple[str, int]]:
    """Yield what is readable: the image may come from anywhere."""
    told = image.config.build_cache
    for entry in told if isinstance(told, list) else ():
        match entry:
            case [str(key), int(layers)] if 0 <= layers <= len(image.chains):
                yield key, layers


def made(history: Sequence[History], layer: int) -> int:
    """Return when the layer of that number (from 1) was made, in ns since the epoch; 0 if the history does not tell."""
    entries = [entry for entry in history if not entry.empty_layer]
    return nanoseconds(entries[layer - 1].created) if 0 < layer <= len(entries) else 0
