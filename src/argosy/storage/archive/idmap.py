"""Ids of a user namespace, for a worker that sees a container's files as the host does (user_namespaces(7)).

On the disk layers, snapshots and volumes have the container's ids, and so has every archive. Only a copy into or out of a
container meets the host's: it works behind the id-mapped mounts, where bind mounts and the container's own tmpfs are too.
"""

from __future__ import annotations

import struct

from argosy.storage.archive.entry import ArchiveError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    Range = Sequence[int]

CAPABILITY = b"security.capability"
_INSIDE, _OUTSIDE = 0, 1
_NOBODY = 65534
"""What the kernel shows for an id that the namespace does not have (proc(5), overflowuid)."""
_REVISIONS, _REVISION_2, _REVISION_3 = 0xFF000000, 0x02000000, 0x03000000
_MAGIC, _ROOT = struct.Struct("<I"), struct.Struct("<I")
_SIZE_2, _SIZE_3 = 20, 24


class IdMap:
    """Ranges are [container, host, size]."""

    def __init__(self, uids: Sequence[Range], gids: Sequence[Range]) -> None:
        self._uids = uids
        self._gids = gids

    def to_host(self, uid: int, gid: int) -> tuple[int, int]:
        """Return what to write. Raises ArchiveError in Docker's words on an id that the namespace does not have."""
        return _needed(self._uids, uid), _needed(self._gids, gid)

    def to_container(self, uid: int, gid: int) -> tuple[int, int]:
        """Return what the container's processes see of a file with these ids."""
        return _translate(self._uids, uid, _OUTSIDE, _INSIDE, _NOBODY), _translate(self._gids, gid, _OUTSIDE, _INSIDE, _NOBODY)

    def attributes_to_host(self, attributes: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
        """Return extended attributes of an archive for the host: file capabilities name the root that they hold for.

        capabilities(7): version 2 means the root of the initial namespace, version 3 carries a uid.
        """
        found = dict(attributes)
        if (value := found.get(CAPABILITY)) is not None:
            version, root = _parsed(value)
            if version:
                found[CAPABILITY] = _with_root(value, _needed(self._uids, root))
        return found

    def attributes_to_container(self, attributes: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
        """Return what the container's processes see: capabilities of a root that it does not have are none for it."""
        found = dict(attributes)
        if (value := found.pop(CAPABILITY, None)) is not None:
            version, root = _parsed(value)
            inside = _translate(self._uids, root, _OUTSIDE, _INSIDE, -1)
            if not version:
                found[CAPABILITY] = value
            elif inside == 0:
                found[CAPABILITY] = _MAGIC.pack(_magic(value) & ~_REVISIONS | _REVISION_2) + value[4:_SIZE_2]
            elif inside > 0:
                found[CAPABILITY] = _with_root(value, inside)
        return found


def from_params(params: Mapping[str, Any]) -> IdMap | None:
    """Return the mapping that a job's ``ids`` parameter gives, ``[uid ranges, gid ranges]``."""
    ids = params.get("ids")
    return IdMap(ids[0], ids[1]) if ids else None


def _parsed(value: bytes) -> tuple[int, int]:
    """Return (version, uid of the root) of file capabilities; version 0 for what is none."""
    revision = _magic(value) & _REVISIONS if len(value) >= _SIZE_2 else 0
    if revision == _REVISION_2 and len(value) == _SIZE_2:
        return 2, 0
    if revision == _REVISION_3 and len(value) == _SIZE_3:
        return 3, _ROOT.unpack_from(value, _SIZE_2)[0]
    return 0, 0


def _magic(value: bytes) -> int:
    return int(_MAGIC.unpack_from(value)[0])


def _with_root(value: bytes, root: int) -> bytes:
    return _MAGIC.pack(_magic(value) & ~_REVISIONS | _REVISION_3) + value[4:_SIZE_2] + _ROOT.pack(root)


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
