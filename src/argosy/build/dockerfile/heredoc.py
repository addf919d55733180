"""Here-documents: which words of a line begin one, and what ``RUN`` makes of them. https://docs.docker.com/reference/dockerfile/#here-documents"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from argosy.build.dockerfile import words
from argosy.build.dockerfile.ast import Command, Heredoc
from argosy.build.dockerfile.errors import GrammarError
from argosy.build.dockerfile.expand import Lexer

_WORD = re.compile(r"\d*<<(-?)([^<]*)\Z")
_TABS = re.compile(r"^\t+", re.MULTILINE)
_NONE: Mapping[str, str] = {}
_TAKERS = ("add", "copy", "run")


@dataclass(frozen=True, slots=True)
class Opening:
    """``<<NAME``; ``strip`` takes leading tabs off (``<<-``)."""

    name: str
    expand: bool
    strip: bool

    def closes(self, line: str) -> bool:
        line = line.rstrip("\r\n")
        return (line.lstrip("\t") if self.strip else line) == self.name

    def document(self, content: str) -> Heredoc:
        return Heredoc(self.name, _TABS.sub("", content) if self.strip else content, self.expand)


def openings(line: str) -> tuple[Opening, ...]:
    """Return what the line of an instruction opens, in order. Raises GrammarError on a broken word."""
    if "<<" not in line:
        return ()
    verb, _, rest = words.command(line)
    if verb.lower() == "onbuild":
        verb, _, rest = words.command(rest)
    if verb.lower() not in _TAKERS or words.json_form(rest) is not None:
        return ()
    try:
        _, found = Lexer(line, _NONE, "\\", keep_quotes=True, keep_escapes=True, keep_unset=True).run()
    except GrammarError:
        return ()
    return tuple(one for one in map(opening, found) if one is not None)


def opening(word: str) -> Opening | None:
    """Return what ``<<NAME``, ``<<-"NAME"`` or ``3<< NAME`` opens, None for another word. Raises GrammarError on unbalanced quotes."""
    match = _WORD.match(word)
    if match is None:
        return None
    _, names = Lexer(match[2], _NONE, "\\", keep_unset=True).run()
    if len(names) != 1:
        return None
    _, raw = Lexer(match[2], _NONE, "\\", keep_unset=True, keep_quotes=True).run()
    # A quoted part, whichever, means that the content is taken as it is (POSIX shell, 2.7.4).
    return Opening(names[0], len(raw[0]) == len(names[0]), match[1] == "-")


def script(command: Command) -> Heredoc | None:
    """Return the document that a ``RUN <<NAME`` executes as a program since it begins with ``#!``; None for all other commands."""
    alone = _alone(command)
    return alone if alone is not None and alone.content.startswith("#!") else None


def shell_text(command: Command) -> str:
    """Return what the shell is given for a shell form: the line, the document that stands for it, or both."""
    alone = _alone(command)
    if alone is not None:
        return alone.content
    return "\n".join([command.words[0] if command.words else "", *(one.content + one.name for one in command.heredocs)])


def _alone(command: Command) -> Heredoc | None:
    if not command.shell or len(command.heredocs) != 1:
        return None
    return command.heredocs[0] if opening(command.words[0]) is not None else None
