"""Ids of a user namespace: trees on the disk carry the host's, archives the container's (user_namespaces(7)).

So a daemon with ``--userns-remap`` needs no id-mapped mounts: each mapping has layers of its own, as with Docker.
"""

from __future__ import annotations

from argosy.storage.archive.entry import ArchiveError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    Range = Sequence[int]

_OVERFLOW = 65534


class IdMap:
    """Ranges are [container, host, size]."""

    def __init__(self, uids: Sequence[Range], gids: Sequence[Range]) -> None:
        self._uids = uids
        self._gids = gids

    def to_host(self, uid: int, gid: int) -> tuple[int, int]:
        """Raises ArchiveError in Docker's words on an id that the namespace does not have."""
        return _map(self._uids, uid, 0, 1, "host"), _map(self._gids, gid, 0, 1, "host")

    def to_container(self, uid: int, gid: int) -> tuple[int, int]:
        """Ids outside of the namespace are the kernel's overflow id."""
        return _find(self._uids, uid, 1, 0, _OVERFLOW), _find(self._gids, gid, 1, 0, _OVERFLOW)

    @property
    def root(self) -> tuple[int, int]:
        return self.to_host(0, 0)


def from_params(params: Mapping[str, Any]) -> IdMap | None:
    """Return the mapping that a job's ``ids`` parameter gives, ``[uid ranges, gid ranges]``."""
    ids = params.get("ids")
    return IdMap(ids[0], ids[1]) if ids else None


def _map(ranges: Sequence[Range], value: int, source: int, target: int, word: str) -> int:
    found = _find(ranges, value, source, target, -1)
    if found < 0:
        raise ArchiveError(f"Container ID {value} cannot be mapped to a {word} ID")
    return found


def _find(ranges: Sequence[Range], value: int, source: int, target: int, missing: int) -> int:
    for item in ranges:
        if item[source] <= value < item[source] + item[2]:
            return item[target] + value - item[source]
    return missing
