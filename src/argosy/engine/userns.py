"""``--userns-remap``: which ids of the host stand for those of a container. Pure: the texts of the files come in.

subuid(5), subgid(5); moby ``daemon/daemon_unix.go: parseRemappedRoot``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from argosy.base.errors import ConflictError, InvalidParameterError
from argosy.engine.container import Container
from argosy.engine.model import ContainerSpec, HostConfig
from argosy.engine.settings import EngineSettings
from argosy.storage.model import IdRanges, Mapped, RootMount

DEFAULT_USER = "argosy"
"""Stands where dockerd has ``dockremap``: the user that ``default`` means."""
RANGE = 65536
_FIRST = 100_000
"""Where useradd(8) begins too (login.defs, SUB_UID_MIN)."""


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


IdMappings = Sequence[Mapping[str, int]]
"""OCI ``linux.uidMappings``."""


def mappings(settings: EngineSettings, host: HostConfig) -> tuple[IdMappings, IdMappings]:
    """Return a container's (uids, gids); empty when it has the host's user namespace."""
    return ((), ()) if host.userns_mode == "host" else (settings.uid_map, settings.gid_map)


def joined(settings: EngineSettings, spec: ContainerSpec, targets: Iterable[Container]) -> dict[str, int]:
    """Return the user namespace that has to be entered together with others' namespaces: they belong to it (user_namespaces(7)).

    In the form of `spec.namespaces`' ``join``. Raises ConflictError when one that is joined has the host's, and this container not.
    """
    if not mappings(settings, spec.host)[0]:
        return {}
    found: dict[str, int] = {}
    for target in targets:
        if target.spec.host.userns_mode == "host":
            raise ConflictError(
                f"cannot join namespaces of container {target.id}: it has the host's user namespace and this container a user namespace "
                "of its own; use --userns=host for both or for none"
            )
        found.setdefault("user", target.state.pid)
    return found


def seen_from_outside(tree: RootMount | int, settings: EngineSettings, host: HostConfig) -> RootMount | Mapped | int:
    """Return a container's tree for a worker that copies into or out of it."""
    uids, gids = mappings(settings, host)
    return Mapped(tree, ranges(uids), ranges(gids)) if uids else tree


def ranges(found: IdMappings) -> IdRanges:
    """Return OCI mappings as (container, host, size)."""
    return tuple((entry["containerID"], entry["hostID"], entry["size"]) for entry in found)


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
        kind = "user" if file == "subuid" else "group"
        raise InvalidParameterError(
            f'no {file} ranges found for {kind} "{owner}" in /etc/{file}: add the line {owner}:{free_start(text)}:{RANGE} to it'
        )
    return ranges


def free_start(text: str) -> int:
    """Return the first id, from 100000 on, after all ranges in the text of subuid(5)."""
    return max([_FIRST, *(start + count for _, start, count in _lines(text))])


def _lines(text: str) -> list[tuple[str, int, int]]:
    """Return (owner, start, count); lines that are not ``name:start:count`` are passed over."""
    found = []
    for line in text.splitlines():
        fields = line.strip().split(":")
        if len(fields) == 3 and fields[1].isdecimal() and fields[2].isdecimal():
            found.append((fields[0], int(fields[1]), int(fields[2])))
    return found


def subordinate(text: str, owner: str, number: int | None = None) -> tuple[IdRange, ...]:
    """Return the ranges of ``owner`` (by name or number) in the text of subuid(5), one after another from container id 0.

    Lower host ids come first, as moby sorts them.
    """
    mine = sorted((start, count) for name, start, count in _lines(text) if name == owner or name == str(number))
    found, inside = [], 0
    for host, size in mine:
        if size:
            found.append(IdRange(inside, host, size))
            inside += size
    return tuple(found)
