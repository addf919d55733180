"""Which layers and blobs nothing needs any more. Pure: counted afresh from what is there, never from stored counts."""

from collections.abc import Iterable, Mapping


def with_parents(roots: Iterable[str], parents: Mapping[str, str | None]) -> set[str]:
    """Return the chain IDs reachable from ``roots`` (unknown ones left out)."""
    reached: set[str] = set()
    for chain in roots:
        at: str | None = chain
        while at is not None and at in parents and at not in reached:
            reached.add(at)
            at = parents[at]
    return reached


def unreachable(roots: Iterable[str], parents: Mapping[str, str | None]) -> list[str]:
    """Return the chain IDs that no root needs, children before their parents, so that a crash in between leaves whole stacks."""
    kept = with_parents(roots, parents)
    return sorted((chain for chain in parents if chain not in kept), key=lambda chain: -_depth(chain, parents))


def _depth(chain: str, parents: Mapping[str, str | None]) -> int:
    depth = 0
    at = parents.get(chain)
    while at is not None:
        depth += 1
        at = parents.get(at)
    return depth
