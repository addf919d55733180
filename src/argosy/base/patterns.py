"""Wildcards of paths: Go's ``filepath.Match``, and ``.dockerignore`` as github.com/moby/patternmatcher reads it.

https://pkg.go.dev/path/filepath#Match; https://docs.docker.com/build/concepts/context/#dockerignore-files
"""

from __future__ import annotations

import re

from argosy.base.errors import InvalidParameterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_ANY, _DEEP = "[^/]*", "(?:.*/)?"


class PatternError(InvalidParameterError):
    """A pattern that is none."""


def matcher(pattern: str) -> Callable[[str], bool]:
    """Return a test for whole paths: ``*`` and ``?`` stop at slashes. Raises PatternError."""
    match = re.compile(_expression(_tokens(pattern, deep=False)), re.DOTALL).fullmatch
    return lambda path: match(path) is not None


def has_wildcard(path: str) -> bool:
    """True if ``path`` is more than a name to Go's ``filepath.Match``."""
    return any(char in path for char in "*?[\\")


class Patterns:
    """Ordered patterns; the last that matches a path or a directory above it decides, ``!`` readmits.

    Not for two threads at once: what directories gave is remembered.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        """Take patterns without comments. Raises PatternError."""
        self._rules: list[tuple[Callable[[str], bool], bool, str]] = []
        for pattern in patterns:
            text = pattern.strip()
            if not text:
                continue
            text = clean(text)
            readmits = text.startswith("!")
            text = text[readmits:]
            if not text:
                raise PatternError('illegal exclusion pattern: "!"')
            self._rules.append((_rule(text), readmits, text))
        self._readmits = any(readmits for _, readmits, _ in self._rules)
        self._directories: dict[str, int] = {"": -1}

    @classmethod
    def parse(cls, data: bytes) -> Patterns:
        """Take the content of a ``.dockerignore``. Raises PatternError."""
        return cls(lines(data))

    @classmethod
    def read(cls, path: str) -> Patterns:
        """Take the file's patterns, none when there is no file. Raises PatternError."""
        try:
            with open(path, "rb") as file:
                return cls.parse(file.read())
        except FileNotFoundError:
            return cls(())

    def __bool__(self) -> bool:
        return bool(self._rules)

    def excludes(self, name: str) -> bool:
        """``name`` is relative, with slashes, in its shortest form."""
        decisive = self._decisive(name, self._directory(name.rpartition("/")[0]))
        return decisive >= 0 and not self._rules[decisive][1]

    def may_readmit(self, directory: str) -> bool:
        """True if something below an excluded directory may still be wanted."""
        return self._readmits and any(
            readmits and (text.startswith((directory + "/", "*", "?", "[", "\\")) or _meets(text, directory))
            for _, readmits, text in self._rules
        )

    def _directory(self, name: str) -> int:
        """Return the index of the last rule that matches the directory or one above it, -1 for none."""
        missing: list[str] = []
        while name not in self._directories:
            missing.append(name)
            name = name.rpartition("/")[0]
        found = self._directories[name]
        for one in reversed(missing):
            found = self._directories[one] = self._decisive(one, found)
        return found

    def _decisive(self, name: str, above: int) -> int:
        for index in range(len(self._rules) - 1, above, -1):
            if self._rules[index][0](name):
                return index
        return above


def _meets(text: str, directory: str) -> bool:
    """True unless the fixed beginning of the pattern leads elsewhere."""
    fixed = re.split(r"[*?\[\\]", text, maxsplit=1)[0]
    return fixed != text and (directory.startswith(fixed) or fixed.startswith(directory + "/"))


def lines(data: bytes) -> list[str]:
    """Return the patterns of a ``.dockerignore``: comments gone, paths shortened, leading slashes off."""
    found = []
    for line in data.decode("utf-8-sig", "replace").split("\n"):
        if line.startswith("#") or not (text := line.strip()):
            continue
        mark = "!" if text.startswith("!") else ""
        text = text.removeprefix("!").strip()
        if text:
            text = clean(text)
            text = text.removeprefix("/") if len(text) > 1 else text
        found.append(mark + text)
    return found


def clean(path: str) -> str:
    """Return the shortest equivalent of a path (Go's ``path.Clean``)."""
    parts: list[str] = []
    rooted = path.startswith("/")
    for part in path.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part == ".." and rooted:
            continue
        elif part not in ("", "."):
            parts.append(part)
    return ("/" if rooted else "") + "/".join(parts) or "."


def _rule(pattern: str) -> Callable[[str], bool]:
    tokens = _tokens(pattern, deep=True)
    if all(len(token) == 1 for token in tokens):
        plain = "".join(tokens)
        return lambda path: path == plain
    if pattern.startswith("**") and all(len(token) == 1 for token in tokens[1:]):
        # Here ** needs no slash after it: **file matches dir/myfile. So it is in moby, whose case "suffix" this is.
        suffix = pattern[2:]
        return lambda path: path.endswith(suffix) or path == suffix[1:]
    match = re.compile(_expression(tokens), re.DOTALL).fullmatch
    return lambda path: match(path) is not None


def _tokens(pattern: str, *, deep: bool) -> list[str]:
    """Return a list of single characters that stand for themselves and of longer expressions for all else."""
    out: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if deep and pattern.startswith("**", at - 1):
            at += 1 + pattern.startswith("/", at + 1)
            out.append(_DEEP if at < len(pattern) else ".*")
        elif char == "*":
            if out[-1:] != [_ANY]:
                out.append(_ANY)
        elif char == "?":
            out.append("[^/]")
        elif char == "[":
            expression, at = _class(pattern, at)
            out.append(expression)
        elif char == "\\":
            if at == len(pattern):
                raise PatternError("syntax error in pattern")
            out.append("\\" + pattern[at] if deep and pattern[at] in "*?[" else pattern[at])
            at += 1
        else:
            out.append(char)
    return out


def _class(pattern: str, at: int) -> tuple[str, int]:
    """Read what follows ``[``: characters and ranges, ``^`` first for all others. ``!`` has no meaning."""
    negated = pattern.startswith("^", at)
    at += negated
    ranges: list[str] = []
    while not (ranges and pattern.startswith("]", at)):
        low, at = _class_character(pattern, at)
        high = low
        if pattern.startswith("-", at):
            high, at = _class_character(pattern, at + 1)
        # A range that runs backwards matches nothing.
        ranges.append(f"{re.escape(low)}-{re.escape(high)}" if low <= high else "")
    inside = "".join(ranges)
    if not inside:
        return ("(?s:.)" if negated else "(?!)"), at + 1
    return f"[{'^' * negated}{inside}]", at + 1


def _class_character(pattern: str, at: int) -> tuple[str, int]:
    if pattern.startswith("\\", at):
        at += 1
    elif pattern[at : at + 1] in ("", "-", "]"):
        raise PatternError("syntax error in pattern")
    if at >= len(pattern) - 1:
        raise PatternError("syntax error in pattern")
    return pattern[at], at + 1


def _expression(tokens: list[str]) -> str:
    """Join the tokens such that matching takes no longer than the path is long, more or less.

    What stands between two stars goes to the first place where it fits, for good (an atomic group): later places leave less room. The
    same for what stands between ``**/`` and ``**``, if whole directories.
    """
    chunks: list[list[str]] = [[]]
    for token in tokens:
        if token == _DEEP:
            chunks.append([])
        else:
            chunks[-1].append(token)
    out = _chunk(chunks[0])
    for number, chunk in enumerate(chunks[1:], 1):
        if number < len(chunks) - 1 and chunk[-1:] == ["/"]:
            out += f"(?>(?:.*?/)??{_chunk(chunk)})"
        else:
            out += _DEEP + _chunk(chunk)
    return out


def _chunk(tokens: list[str]) -> str:
    pieces: list[list[str]] = [[]]
    for token in tokens:
        if token == _ANY:
            pieces.append([])
        else:
            pieces[-1].append(re.escape(token) if len(token) == 1 else token)
    first, *rest = ["".join(piece) for piece in pieces]
    if not rest:
        return first
    return first + "".join(f"(?>[^/]*?{piece})" if piece else _ANY for piece in rest[:-1]) + _ANY + rest[-1]
