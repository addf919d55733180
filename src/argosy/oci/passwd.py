"""``--user`` against a container's /etc/passwd and /etc/group: passwd(5), group(5). Pure.

moby ``user.GetExecUser``: a name is looked up first, a number needs no entry; groups are looked up only for names.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from argosy.base.errors import InvalidParameterError

_MAX_ID = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class ExecUser:
    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    """Supplementary ones, from /etc/group and ``--group-add``."""
    home: str = "/"


def resolve_user(user: str, passwd: bytes, group: bytes, additional: Sequence[str] = ()) -> ExecUser:
    """Return who ``user`` is: ``""``, ``name``, ``uid``, ``name:group``, ``uid:gid`` or any mixture.

    Raises InvalidParameterError in Docker's words (``unable to find user x: no matching entries in passwd file``).
    """
    name, colon, group_name = user.partition(":")
    entry = _account(name, passwd)
    uid = entry[1] if entry else _number(name, f"unable to find user {name}: no matching entries in passwd file") if name else 0
    gid = entry[2] if entry else 0
    account = entry[0] if entry else ""
    groups: tuple[int, ...] = ()
    if colon and group_name:
        gid = _group(group_name, group)
    elif account:
        groups = tuple(number for _, number, members in _groups(group) if account in members and number != gid)
    more = tuple(_group(text, group) for text in additional)
    return ExecUser(uid, gid, tuple(dict.fromkeys((*groups, *more))), entry[3] if entry else "/")


def _account(name: str, passwd: bytes) -> tuple[str, int, int, str] | None:
    """Return (name, uid, gid, home) by name, or by number, of the first entry that matches; the user of number 0 for no name."""
    for fields in _lines(passwd, 6):
        if not (fields[2].isdecimal() and fields[3].isdecimal()):
            continue
        if fields[0] == name if name else fields[2] == "0":
            return fields[0], int(fields[2]), int(fields[3]), fields[5] or "/"
    if name.isdecimal():
        for fields in _lines(passwd, 6):
            if fields[2].isdecimal() and fields[3].isdecimal() and int(fields[2]) == int(name):
                return fields[0], int(fields[2]), int(fields[3]), fields[5] or "/"
    return None


def _group(name: str, group: bytes) -> int:
    found = next((number for known, number, _ in _groups(group) if known == name), None)
    return found if found is not None else _number(name, f"unable to find group {name}: no matching entries in group file")


def _number(text: str, otherwise: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise InvalidParameterError(otherwise)
    if int(text) > _MAX_ID:
        raise InvalidParameterError("uids and gids must be in range 0-2147483647")
    return int(text)


def _groups(group: bytes) -> Iterator[tuple[str, int, Sequence[str]]]:
    for fields in _lines(group, 3):
        if fields[2].isdecimal():
            yield fields[0], int(fields[2]), fields[3].split(",") if len(fields) > 3 else ()


def _lines(content: bytes, least: int) -> Iterable[list[str]]:
    for raw in content.split(b"\n"):
        line = raw.decode("utf-8", "replace").strip()
        fields = line.split(":")
        if len(fields) >= least and not line.startswith("#"):
            yield fields
