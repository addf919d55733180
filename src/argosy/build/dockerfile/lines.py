"""From bytes to instructions' lines: directives, comments, continuations, here-documents. buildkit ``parser/parser.go`` has the rules."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from argosy.build.dockerfile import heredoc
from argosy.build.dockerfile.ast import Heredoc, Location
from argosy.build.dockerfile.errors import DockerfileError, GrammarError

_LONGEST = 65535
_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*\Z")
_KNOWN = ("syntax", "escape", "check")


@dataclass(frozen=True, slots=True)
class Line:
    location: Location
    text: str
    """Continuations joined."""
    heredocs: tuple[Heredoc, ...]


@dataclass(frozen=True, slots=True)
class Lines:
    lines: tuple[Line, ...]
    escape: str
    syntax: str
    check: str
    warnings: tuple[str, ...]


def read(data: bytes, file: str) -> Lines:
    """Raises DockerfileError. Bytes that are not UTF-8 become U+FFFD."""
    physical = _physical(data.decode("utf-8-sig", "replace"), file)
    directives = _directives(physical, file)
    reader = _Reader(physical, file, directives.get("escape", "\\"))
    lines = tuple(reader.lines())
    return Lines(lines, reader.escape, directives.get("syntax", "").split(" ")[0], directives.get("check", ""), tuple(reader.warnings))


def _physical(text: str, file: str) -> list[str]:
    """Lines with their ends: a here-document keeps them."""
    lines = re.findall(r"[^\n]*\n|[^\n]+\Z", text)
    for number, line in enumerate(lines, 1):
        # bufio.Scanner's buffer is the limit; the newline has room there.
        if len(line) > _LONGEST // 4 and len(line.encode()) > _LONGEST + line.endswith("\n"):
            raise DockerfileError(f"dockerfile line greater than max allowed size of {_LONGEST}", Location(file, number, number))
    return lines


def _directives(lines: list[str], file: str) -> dict[str, str]:
    """Read ``# key=value`` from the top, as far as there is nothing else. ``#!`` in the first line is passed over, as for a script."""
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if number == 1 and line.startswith("#!"):
            continue
        match = _DIRECTIVE.match(line.strip())
        if match is None or (key := match[1].lower()) not in _KNOWN:
            break
        here = Location(file, number, number)
        if key in found:
            raise DockerfileError(f"only one {key} parser directive can be used", here, line.strip())
        if key == "escape" and match[2] not in ("`", "\\"):
            raise DockerfileError(f"invalid escape token '{match[2]}' does not match ` or \\", here, line.strip())
        found[key] = match[2]
    return found


class _Reader:
    def __init__(self, physical: list[str], file: str, escape: str) -> None:
        self._physical = physical
        self._file = file
        self._at = 0
        self.escape = escape
        # A doubled escape character at the end is that character, not a continuation.
        self._continues = re.compile(rf"(^|[^{re.escape(escape)}]){re.escape(escape)}[ \t]*\Z")
        self.warnings: list[str] = []

    def lines(self) -> Iterator[Line]:
        while self._at < len(self._physical):
            first = self._at + 1
            text = self._next().rstrip("\r\n").lstrip()
            if not text or text.startswith("#"):
                continue
            text = self._joined(text)
            try:
                documents = tuple(self._document(opening) for opening in heredoc.openings(text))
            except GrammarError as error:
                raise DockerfileError(str(error), Location(self._file, first, self._at), text) from None
            yield Line(Location(self._file, first, self._at), text, documents)

    def _next(self) -> str:
        line = self._physical[self._at]
        self._at += 1
        return line

    def _joined(self, text: str) -> str:
        """Append the lines that continue this one; comments among them vanish."""
        parts = []
        empty = False
        while match := self._continues.search(text):
            parts.append(text[: match.end(1)])
            text = ""
            while self._at < len(self._physical):
                text = self._next().rstrip("\r\n")
                if text.strip() and not text.lstrip().startswith("#"):
                    break
                empty |= not text.strip()
                text = ""
        line = "".join([*parts, text])
        if empty:
            self.warnings.append(f"Empty continuation line found in: {line}")
        return line

    def _document(self, opening: heredoc.Opening) -> Heredoc:
        content: list[str] = []
        while self._at < len(self._physical):
            line = self._next()
            if opening.closes(line):
                return opening.document("".join(content))
            content.append(line)
        raise GrammarError("unterminated heredoc")
