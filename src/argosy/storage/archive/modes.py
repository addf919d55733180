"""``--chmod``: octal, or symbolic as chmod(1) has it (``u=rwX,go=rX``). Pure. The umask counts for nothing, as in BuildKit."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass

from argosy.base.errors import InvalidParameterError

_WHO = {"u": stat.S_ISUID | stat.S_IRWXU, "g": stat.S_ISGID | stat.S_IRWXG, "o": stat.S_IRWXO, "a": 0o7777}
_BITS = {"r": 0o444, "w": 0o222, "x": 0o111}
_CLAUSE = re.compile(r"([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)")
_ACTION = re.compile(r"([-+=])([ugo]|[rwxXst]*)")


@dataclass(frozen=True, slots=True)
class _Action:
    who: int
    """Mask of the bits that it is about."""
    sign: str
    given: str


@dataclass(frozen=True, slots=True)
class Mode:
    """``octal`` -1: not given; without actions too it changes nothing."""

    octal: int = -1
    actions: tuple[_Action, ...] = ()

    @property
    def directories(self) -> int:
        """The mode of a directory that is made on the way to the files: symbolic ones are about the files alone."""
        return 0o755 if self.octal < 0 else self.octal & 0o777

    def of(self, mode: int) -> int:
        """Return the permission bits of a file that had ``mode`` (type included)."""
        if self.octal >= 0:
            return self.octal
        bits = stat.S_IMODE(mode)
        for action in self.actions:
            bits = _done(action, bits, mode)
        return bits


def parse(text: str) -> Mode:
    """Raises InvalidParameterError in BuildKit's words (as of Dockerfile 1.14)."""
    if not text:
        return Mode()
    if text[0].isdecimal():
        if not re.fullmatch(r"[0-7]+", text) or int(text, 8) > 0o7777:
            raise InvalidParameterError(f"invalid chmod parameter: '{text}'. it should be octal string and between 0 and 07777")
        return Mode(int(text, 8))
    actions = []
    for clause in text.split(","):
        found = _CLAUSE.fullmatch(clause)
        if found is None:
            raise InvalidParameterError(
                f"invalid chmod parameter: '{text}'. it should be an octal string, or symbolic as in u=rwX,go=rX: invalid syntax"
            )
        who = 0
        for letter in found[1] or "a":
            who |= _WHO[letter]
        actions += [_Action(who, sign, given) for sign, given in _ACTION.findall(found[2])]
    return Mode(actions=tuple(actions))


def _done(action: _Action, bits: int, before: int) -> int:
    """``X`` looks at the file as it was before all, as in BuildKit."""
    wanted = _copied(action.given, bits) if action.given in ("u", "g", "o") else _permissions(action, before)
    wanted &= action.who | stat.S_ISVTX
    match action.sign:
        case "+":
            return bits | wanted
        case "-":
            return bits & ~wanted
    return bits & ~action.who | wanted


def _copied(whose: str, bits: int) -> int:
    return (bits >> {"u": 6, "g": 3, "o": 0}[whose] & 7) * 0o111


def _permissions(action: _Action, before: int) -> int:
    found = 0
    for letter in action.given:
        found |= _BITS.get(letter, 0)
    if "X" in action.given and (stat.S_ISDIR(before) or before & 0o111):
        found |= 0o111
    # For others alone there is neither of them.
    if action.who & ~stat.S_IRWXO:
        found |= stat.S_ISUID | stat.S_ISGID if "s" in action.given else 0
        found |= stat.S_ISVTX if "t" in action.given else 0
    return found
