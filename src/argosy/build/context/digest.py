"""Checksums of what ``COPY`` and ``ADD`` take: the part of a cache key that files are."""

from collections.abc import Sequence
from dataclasses import dataclass

from argosy.base.patterns import Patterns, matcher
from argosy.storage.model import RootMount
from argosy.storage.ports import Workers


@dataclass(frozen=True, slots=True)
class Matched:
    path: str
    """Relative to the root, no leading slash; ``""`` is the root itself."""
    kind: str
    """``directory``, ``file`` or ``other``."""
    digest: str
    """Hex SHA-256 of names, kinds, modes, owners, link targets, extended attributes and content; no times."""


async def digests_of(workers: Workers, root: RootMount, sources: Sequence[str], *, excludes: Sequence[str] = ()) -> list[Matched]:
    """Return what the sources match, in their order, a wildcard's matches sorted; a source that is missing has no match.

    ``root``: ``Directory(str(context.root))``, or a stage's snapshot for ``COPY --from``. Wildcards are Go's ``filepath.Match``;
    links that a source names are followed, inside the root. Raises PatternError.
    """
    # Checked here: a worker's error has no kind that says whose fault it is.
    for source in sources:
        matcher(source)
    Patterns(excludes)
    found = await workers.run("digests", {"sources": list(sources), "excludes": list(excludes)}, root=root)
    return [Matched(*one) for one in found]
