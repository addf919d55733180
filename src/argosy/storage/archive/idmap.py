"""Ids of a user namespace, where a tree is not seen through an id-mapped mount (user_namespaces(7)).

With ``--userns-remap`` layers are stored with the ids of their archives, and the runtime mounts them id-mapped. What a
container wrote itself lies in its upper directory with the host's ids, so a view that a worker has of both holds both kinds.
An archive has the container's ids only: what is in the mapping's host ranges is translated, the rest is of a layer and stays.
"""

from __future__ import annotations

from argosy.storage.archive.entry import ArchiveError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    Range = Sequence[int]

_INSIDE, _OUTSIDE = 0, 1


class IdMap:
    """Ranges are [container, host, size]."""

    def __init__(self, uids: Sequence[Range], gids: Sequence[Range]) -> None:
        self._uids = uids
        self._gids = gids

    def to_host(self, uid: int, gid: int) -> tuple[int, int]:
        """Return what to write. Raises ArchiveError in Docker's words on an id that the namespace does not have."""
        return _needed(self._uids, uid), _needed(self._gids, gid)

    def to_container(self, uid: int, gid: int) -> tuple[int, int]:
        """Return what to say of a file that lies there with these ids."""
        return _translate(self._uids, uid, _OUTSIDE, _INSIDE, uid), _translate(self._gids, gid, _OUTSIDE, _INSIDE, gid)

    def stored(self, uid: int, gid: int) -> tuple[int, int]:
        """Return the host's ids of a file, whichever kind it has."""
        return self.to_host(*self.to_container(uid, gid))

    @property
    def root(self) -> tuple[int, int]:
        """The host's ids of the container's root."""
        return self.to_host(0, 0)


def from_params(params: Mapping[str, Any]) -> IdMap | None:
    """Return the mapping that a job's ``ids`` parameter gives, ``[uid ranges, gid ranges]``."""
    ids = params.get("ids")
    return IdMap(ids[0], ids[1]) if ids else None


def _needed(ranges: Sequence[Range], value: int) -> int:
    found = _translate(ranges, value, _INSIDE, _OUTSIDE, -1)
    if found < 0:
        raise ArchiveError(f"Container ID {value} cannot be mapped to a host ID")
    return found


def _translate(ranges: Sequence[Range], value: int, source: int, target: int, missing: int) -> int:
    for item in ranges:
        if item[source] <= value < item[source] + item[2]:
            return item[target] + value - item[source]
    return missing
