"""Read an argument vector: pflag's rules.

``--name value``, ``--name=value``, ``-n value``, ``-nvalue``, ``-n=value``, ``-abc`` for switches, ``--`` ends the flags. With
``interspersed`` false they also end at the first argument, so that the flags of the container's program are left alone.
"""

from __future__ import annotations

from argosy.cli.errors import UsageError
from argosy.cli.flags.kinds import split_csv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from argosy.cli.flags.flag import Flag


class HelpWanted(Exception):
    """``--help`` or ``-h`` was met."""


class Values:
    """What was given. The getters return the default for a flag that was not; a gathering flag's default is an empty list."""

    def __init__(self, flags: Iterable[Flag]) -> None:
        self._flags = {flag.name: flag for flag in flags}
        self._given: dict[str, object] = {}
        self.arguments: list[str] = []

    def set(self, flag: Flag, text: str) -> None:
        """Parse one occurrence; raises UsageError in pflag's words."""
        try:
            parsed = [flag.kind.parse(part) for part in (split_csv(text) if flag.kind.split else (text,))]
        except ValueError as error:
            raise UsageError(f'invalid argument "{text}" for "{flag.spelling}" flag: {error}') from None
        if flag.kind.gather:
            self.items(flag.name).extend(parsed)
        else:
            self._given[flag.name] = parsed[-1]

    def given(self, name: str) -> bool:
        return name in self._given

    def value(self, name: str) -> object:
        return self._given.get(name, self._flags[name].default)

    def switch(self, name: str) -> bool:
        return bool(self.value(name))

    def text(self, name: str) -> str:
        value = self.value(name)
        return "" if value is None else str(value)

    def number(self, name: str) -> int:
        value = self.value(name)
        return value if isinstance(value, int) else 0

    def items(self, name: str) -> list[object]:
        """Return the list itself, so that an occurrence can be added."""
        found = self._given.get(name)
        if not isinstance(found, list):
            found = list(self._flags[name].default or ())  # type: ignore[call-overload]
            self._given[name] = found
        return found

    def texts(self, name: str) -> list[str]:
        found = self._given.get(name)
        return [str(item) for item in found] if isinstance(found, list) else []

    def filters(self, name: str = "filter") -> dict[str, list[str]]:
        """Return ``--filter`` occurrences as the API wants them."""
        wanted: dict[str, list[str]] = {}
        found = self._given.get(name)
        for pair in found if isinstance(found, list) else []:
            wanted.setdefault(pair[0], []).append(pair[1])
        return wanted


def parse(flags: Sequence[Flag], argv: Sequence[str], *, interspersed: bool = True) -> Values:
    """Return the values; raises UsageError, or HelpWanted."""
    values = Values(flags)
    long = {flag.name: flag for flag in flags}
    short = {flag.letter: flag for flag in flags if flag.letter}
    queue = list(reversed(argv))
    while queue:
        word = queue.pop()
        if word == "--":
            values.arguments.extend(reversed(queue))
            break
        if len(word) < 2 or word[0] != "-":
            values.arguments.append(word)
            if not interspersed:
                values.arguments.extend(reversed(queue))
                break
        elif word[1] == "-":
            _long(long, values, word, queue)
        else:
            _short(short, values, word, queue)
    return values


def _long(flags: dict[str, Flag], values: Values, word: str, queue: list[str]) -> None:
    name, equals, text = word[2:].partition("=")
    if not name or name[0] in "-=":
        raise UsageError(f"bad flag syntax: {word}")
    flag = flags.get(name)
    if flag is None:
        if name == "help":
            raise HelpWanted
        raise UsageError(f"unknown flag: --{name}{_nearest(name, flags)}")
    if not equals:
        if flag.kind.implied is not None:
            text = flag.kind.implied
        elif queue:
            text = queue.pop()
        else:
            raise UsageError(f"flag needs an argument: --{name}")
    values.set(flag, text)


def _short(flags: dict[str, Flag], values: Values, word: str, queue: list[str]) -> None:
    at = 1
    while at < len(word):
        letter, rest = word[at], word[at + 1 :]
        flag = flags.get(letter)
        if flag is None:
            if letter == "h":
                raise HelpWanted
            raise UsageError(f"unknown shorthand flag: '{letter}' in -{word[1:]}")
        if rest[:1] == "=":
            values.set(flag, rest[1:])
            return
        if flag.kind.implied is not None:
            values.set(flag, flag.kind.implied)
            at += 1
            continue
        if not rest and not queue:
            raise UsageError(f"flag needs an argument: '{letter}' in -{word[1:]}")
        values.set(flag, rest or queue.pop())
        return


def _nearest(name: str, flags: dict[str, Flag]) -> str:
    from argosy.base.suggest import nearest

    found = nearest(name, [known for known, flag in flags.items() if not flag.hidden])
    return f". Did you mean --{found}?" if found else ""
