"""``*`` and ``?`` in ``${x#pattern}`` and ``${x/pattern/text}``, in time that does not explode whatever the pattern is.

A pattern is pieces of fixed length between stars. Where the pieces before fit earliest, those after have the most room, so nothing is
tried twice.
"""

import re

from argosy.build.dockerfile.errors import GrammarError


class Glob:
    """Raises GrammarError when an escape means nothing."""

    def __init__(self, pattern: str) -> None:
        self._pieces = _pieces(pattern)

    def without_prefix(self, text: str, *, longest: bool) -> str:
        end = _end([_compiled(piece) for piece in self._pieces], text, 0, longest, len(self._pieces[-1]))
        return text if end is None else text[end:]

    def without_suffix(self, text: str, *, longest: bool) -> str:
        backwards = [piece[::-1] for piece in reversed(self._pieces)]
        end = _end([_compiled(piece) for piece in backwards], text[::-1], 0, longest, len(backwards[-1]))
        return text if end is None else text[: len(text) - end]

    def replaced(self, text: str, replacement: str, *, everywhere: bool) -> str:
        """Replace the leftmost longest match, or each of them."""
        pieces = [_compiled(piece) for piece in self._pieces]
        out: list[str] = []
        at, matched = 0, -1
        while at <= len(text) and (first := pieces[0].search(text, at)):
            # What does not fit after the first place cannot fit after a later one.
            end = _end(pieces, text, first.start(), True, len(self._pieces[-1]))
            if end is None:
                break
            out.append(text[at : first.start()])
            at = end
            if end > matched:  # no empty match right behind another, as in Go
                out.append(replacement)
            if end == first.start():
                out.append(text[end : end + 1])
                at += 1
            matched = end
            if not everywhere:
                break
        return "".join(out) + text[at:]


def _end(pieces: list[re.Pattern[str]], text: str, start: int, longest: bool, tail: int) -> int | None:
    """Return where the match that begins at ``start`` ends; ``tail`` is the length of the last piece."""
    match = pieces[0].match(text, start)
    for piece in pieces[1:-1]:
        match = piece.search(text, match.end()) if match else None
    if match is None or len(pieces) == 1:
        return match.end() if match else None
    if not longest:
        match = pieces[-1].search(text, match.end())
        return match.end() if match else None
    for at in range(len(text) - tail, match.end() - 1, -1):
        if pieces[-1].match(text, at):
            return at + tail
    return None


def _compiled(piece: list[str]) -> re.Pattern[str]:
    return re.compile("".join("." if char == "?" else re.escape(char[-1]) for char in piece), re.DOTALL)


def _pieces(pattern: str) -> list[list[str]]:
    """Each character stands for itself, ``?`` for any, ``\\?`` for a question mark."""
    pieces: list[list[str]] = [[]]
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            pieces.append([])
        elif char != "\\":
            pieces[-1].append(char)
        elif pattern[at : at + 1] in ("*", "?", "\\"):
            pieces[-1].append("\\" + pattern[at])
            at += 1
        elif pattern[at : at + 1] not in ("}", "/"):
            raise GrammarError(f"invalid pattern ({pattern}) in substitution: invalid escape '\\{pattern[at : at + 1]}'")
    return pieces
