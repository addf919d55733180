"""What of a repository nobody needs. Pure: a function of a snapshot."""

from collections.abc import Mapping, Set
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """A manifest in a snapshot."""

    age: float
    """Seconds since it was pushed, or since a client was told that it is there."""
    blobs: tuple[str, ...] = ()
    manifests: tuple[str, ...] = ()
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    tags: Mapping[str, str]
    """Tag → digest."""
    manifests: Mapping[str, Entry]
    blobs: Mapping[str, float]
    """Digest → age in seconds."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to remove, in this order: so that nothing that is left ever names what is gone."""

    tags: tuple[str, ...] = ()
    manifests: tuple[str, ...] = ()
    blobs: tuple[str, ...] = ()


def plan(snapshot: Snapshot, *, dropped: Set[str], grace: float, untagged: bool) -> Plan:
    """Return what to remove when the tags ``dropped`` go; ``untagged``: manifests that no tag leads to go as well."""
    kept_tags = {tag: digest for tag, digest in snapshot.tags.items() if tag not in dropped}
    roots = {*kept_tags.values(), *(digest for digest, entry in snapshot.manifests.items() if entry.age < grace)}
    if not untagged:
        # What hangs on a dropped tag goes with it; whatever else was pushed without a tag stays.
        hanging = _reach(snapshot, {snapshot.tags[tag] for tag in dropped if tag in snapshot.tags})
        roots |= set(snapshot.manifests) - hanging
    kept = _reach(snapshot, roots)
    gone = set(snapshot.manifests) - kept
    needed = {blob for digest in kept if digest in snapshot.manifests for blob in snapshot.manifests[digest].blobs}
    blobs = (digest for digest, age in snapshot.blobs.items() if digest not in needed and age >= grace)
    return Plan(
        tuple(sorted(tag for tag in dropped if tag in snapshot.tags)),
        tuple(sorted(gone, key=lambda digest: (-_height(snapshot, digest, frozenset()), digest))),
        tuple(sorted(blobs)),
    )


def _reach(snapshot: Snapshot, roots: Set[str]) -> set[str]:
    """Return everything that the roots lead to: an index to its manifests, a subject to its referrers."""
    referrers: dict[str, list[str]] = {}
    for digest, entry in snapshot.manifests.items():
        if entry.subject:
            referrers.setdefault(entry.subject, []).append(digest)
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        digest = waiting.pop()
        if digest in found:
            continue
        found.add(digest)
        named = snapshot.manifests[digest].manifests if digest in snapshot.manifests else ()
        waiting += (*named, *referrers.get(digest, ()))
    return found


def _height(snapshot: Snapshot, digest: str, above: Set[str]) -> int:
    """Return how many levels of manifests are below: what names others is removed before them."""
    entry = snapshot.manifests.get(digest)
    if entry is None or digest in above:
        return 0
    return 1 + max((_height(snapshot, child, above | {digest}) for child in entry.manifests), default=0)
