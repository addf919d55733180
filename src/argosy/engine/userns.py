"""``--userns-remap``: which ids of the host stand for those of a container. Pure: the texts of the files come in.

subuid(5), subgid(5); moby ``daemon/daemon_unix.go: parseRemappedRoot``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from argosy.base.errors import InvalidParameterError

DEFAULT_USER = "argosy"
"""Stands where dockerd has ``dockremap``: the user that ``default`` means."""


@dataclass(frozen=True, slots=True)
class IdRange:
    container: int
    host: int
    size: int

    def oci(self) -> dict[str, int]:
        """Return one entry of OCI ``linux.uidMappings``."""
        return {"containerID": self.container, "hostID": self.host, "size": self.size}


@dataclass(frozen=True, slots=True)
class Remap:
    user: str
    group: str
    uids: tuple[IdRange, ...]
    gids: tuple[IdRange, ...]

    @property
    def root(self) -> tuple[int, int]:
        """The host's uid and gid of the container's root: owner of what the daemon makes for containers."""
        return to_host(self.uids, 0), to_host(self.gids, 0)


def parse_remap(text: str, *, users: Mapping[str, int], groups: Mapping[str, int], subuid: str, subgid: str) -> Remap | None:
    """Return the mapping for ``default``, ``user``, ``uid``, ``user:group``, ``uid:gid``; None when nothing is asked.

    ``users`` and ``groups``: names and numbers of the host; the texts of /etc/subuid and /etc/subgid. Raises InvalidParameterError.
    """
    if not text:
        return None
    if text.count(":") > 1:
        raise InvalidParameterError(f"invalid user/group specification in userns-remap setting: {text}")
    name, colon, group = text.partition(":")
    if name == "default":
        name = group = DEFAULT_USER
    user = _named("user", name, users, "User")
    group = _named("group", group, groups, "Group") if colon or name == DEFAULT_USER else user
    return Remap(user, group, _ranges("subuid", subuid, user, users), _ranges("subgid", subgid, group, groups))


def _named(kind: str, text: str, known: Mapping[str, int], title: str) -> str:
    """Return the name, also of a number, as the files may use either."""
    if text in known:
        return text
    if text.isascii() and text.isdecimal():
        found = next((name for name, number in known.items() if number == int(text)), None)
        if found is not None:
            return found
        raise InvalidParameterError(f"{title.lower()} id {text} does not exist on this host; userns-remap needs a named {kind}")
    raise InvalidParameterError(
        f'error during "{text}" {kind} lookup: there is no such {kind}; create it, with ranges in /etc/subuid and /etc/subgid'
    )


def _ranges(file: str, text: str, owner: str, known: Mapping[str, int]) -> tuple[IdRange, ...]:
    ranges = subordinate(text, owner, known.get(owner))
    if not ranges:
        raise InvalidParameterError(f'no {file} ranges found for {"user" if file == "subuid" else "group"} "{owner}" in /etc/{file}')
    return ranges


def subordinate(text: str, owner: str, number: int | None = None) -> tuple[IdRange, ...]:
    """Return the ranges of ``owner`` (by name or number) in the text of subuid(5), one after another from container id 0.

    Lower host ids come first, as moby sorts them. Lines that are not ``name:start:count`` are passed over.
    """
    found = []
    for line in text.splitlines():
        fields = line.strip().split(":")
        if len(fields) != 3 or not (fields[1].isdecimal() and fields[2].isdecimal()):
            continue
        if fields[0] == owner or (number is not None and fields[0] == str(number)):
            found.append((int(fields[1]), int(fields[2])))
    ranges, start = [], 0
    for host, size in sorted(found):
        if size:
            ranges.append(IdRange(start, host, size))
            start += size
    return tuple(ranges)


def to_host(ranges: Sequence[IdRange], number: int) -> int:
    """Return the host's id of a container's id. Raises InvalidParameterError when it has none."""
    for one in ranges:
        if one.container <= number < one.container + one.size:
            return one.host + number - one.container
    raise InvalidParameterError(f"container ID {number} cannot be mapped to a host ID")


def to_container(ranges: Sequence[IdRange], number: int) -> int:
    """Return the container's id of a host's id. Raises InvalidParameterError when it has none."""
    for one in ranges:
        if one.host <= number < one.host + one.size:
            return one.container + number - one.host
    raise InvalidParameterError(f"host ID {number} cannot be mapped to a container ID")
