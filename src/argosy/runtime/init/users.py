"""``--user NAME[:GROUP]`` and ``--group-add`` looked up in the container's own passwd and group files.

The rules and words are those of github.com/moby/sys/user (GetExecUser, GetAdditionalGroups). The C library is not asked:
it would load the image's nss modules.
"""

MAXIMUM = (1 << 31) - 1


class UserError(Exception):
    """The user or group cannot be found; the text is Docker's."""


class User:
    """Numeric identity of a process."""

    __slots__ = ("by_name", "gid", "groups", "home", "uid")

    def __init__(self, uid: int, gid: int, groups: list[int], home: bytes) -> None:
        self.uid = uid
        self.gid = gid
        self.groups = groups
        self.home = home
        self.by_name = False
        """Given as docker's ``--user``; then nobody else has decided what rights such a user has."""


def resolve_user(wanted: bytes, passwd: bytes, group: bytes) -> User:
    """Return the identity that ``NAME|UID[:GROUP|GID]`` means; an empty string is root. Raises UserError.

    What reads as a number is a number, even where a login of that spelling exists.
    """
    name, _, group_name = wanted.partition(b":")
    entry = _find_passwd(name, passwd)
    if entry is not None:
        user = User(_field(entry, 2), _field(entry, 3), [], entry[5] if len(entry) > 5 else b"/")
    else:
        user = User(_number_or_fail(name, "user") if name else 0, 0, [], b"/")
    if group_name:
        user.gid = _primary(group_name, group)
    elif entry is not None:
        user.groups = [_field(row, 2) for row in _entries(group, 4) if entry[0] in row[3].split(b",")]
    return user


def _primary(wanted: bytes, group: bytes) -> int:
    number = _number(wanted)
    for entry in _entries(group, 4):
        if entry[0] == wanted if number is None else _field(entry, 2) == number:
            return _field(entry, 2)
    return _number_or_fail(wanted, "group")


def _number_or_fail(name: bytes, kind: str) -> int:
    number = _number(name)
    if number is None:
        raise UserError(f"unable to find {kind} {_show(name)}: no matching entries in {'passwd' if kind == 'user' else kind} file")
    if not 0 <= number <= MAXIMUM:
        raise UserError("uids and gids must be in range 0-2147483647")
    return number


def resolve_groups(wanted: list[bytes], group: bytes) -> list[int]:
    """Return the numbers of ``--group-add`` names. Raises UserError."""
    found = []
    for name in wanted:
        number = _number(name)
        for entry in _entries(group, 3):
            if entry[0] == name or (number is not None and _field(entry, 2) == number):
                found.append(_field(entry, 2))
                break
        else:
            found.append(_number_or_fail(name, "group"))
    return found


def home_of(uid: int, passwd: bytes) -> bytes:
    """Return the home directory for HOME when the environment has none: ``/`` without an entry, as runc."""
    for entry in _entries(passwd, 4):
        if _field(entry, 2) == uid:
            return (entry[5] if len(entry) > 5 else b"") or b"/"
    return b"/"


def _find_passwd(name: bytes, passwd: bytes) -> "list[bytes] | None":
    number = 0 if not name else _number(name)
    for entry in _entries(passwd, 4):
        if entry[0] == name if number is None else _field(entry, 2) == number:
            return entry
    return None


def _entries(text: bytes, least: int) -> "list[list[bytes]]":
    rows = []
    for line in text.split(b"\n"):
        line = line.strip()
        if not line or line.startswith(b"#"):
            continue
        fields = line.split(b":")
        fields += [b""] * (least - len(fields))
        rows.append(fields)
    return rows


def _field(entry: "list[bytes]", index: int) -> int:
    """A field that is no number reads as 0, as the original does."""
    number = _number(entry[index]) if len(entry) > index else None
    return number or 0


def _number(text: bytes) -> "int | None":
    digits = text[1:] if text[:1] in (b"-", b"+") else text
    return int(text) if digits.isdigit() else None


def _show(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
