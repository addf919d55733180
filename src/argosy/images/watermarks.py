"""When a disk counts as full, and which images go then. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Watermarks:
    """Per cent of the file system that the data root lies on, as df(1) counts; ``high`` 0: nothing is ever given up."""

    high: int
    low: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image that could go."""

    image: str
    last_used: int
    """ns since the epoch: when it came, got a name, or a container was made from it, whichever was last."""
    parts: Mapping[str, int]
    """Layers (by chain ID) and blobs (by digest) that it needs → bytes."""


def excess(marks: Watermarks, *, used: int, available: int) -> int:
    """Return the bytes to be freed: 0 below the high mark, else what lies above the low one."""
    size = used + available
    if not marks.high or used * 100 < marks.high * size:
        return 0
    return max(0, used - size * marks.low // 100)


def choose(candidates: Sequence[Candidate], *, held: Collection[str], need: int) -> list[str]:
    """Return the images to remove, least recently used first, until at least ``need`` bytes come free.

    ``held`` are the parts that others need. What several candidates share comes free with the last of them.
    """
    shared = Counter(part for candidate in candidates for part in candidate.parts)
    chosen: list[str] = []
    for candidate in sorted(candidates, key=lambda one: (one.last_used, one.image)):
        if need <= 0:
            break
        chosen.append(candidate.image)
        for part, size in candidate.parts.items():
            shared[part] -= 1
            if not shared[part] and part not in held:
                need -= size
    return chosen
