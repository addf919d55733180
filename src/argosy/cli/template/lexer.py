"""Cut a template into text and the tokens of its actions."""

from __future__ import annotations

from argosy.base.errors import ArgosyError

_SPACE = " \t\r\n"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\\": "\\", '"': '"', "'": "'"}


class TemplateError(ArgosyError):
    """A template that cannot be parsed or carried out; the text is Go's, so scripts and searches find it."""


class Token:
    """``kind`` is text, open, close, word, field, variable, dot, string, number, char or punctuation; ``gap`` that space precedes it."""

    __slots__ = ("at", "gap", "kind", "value")

    def __init__(self, kind: str, value: str, at: int, gap: bool = False) -> None:
        self.kind = kind
        self.value = value
        self.at = at
        self.gap = gap


def tokens(source: str) -> list[Token]:
    """Return the tokens; raises TemplateError in Go's words."""
    found: list[Token] = []
    at = 0
    trim_next = False
    while True:
        start = source.find("{{", at)
        text = source[at : start if start >= 0 else len(source)]
        if trim_next:
            text = text.lstrip(_SPACE)
        if start < 0:
            if text:
                found.append(Token("text", text, at))
            return found
        trim_left = source[start + 2 : start + 3] == "-" and source[start + 3 : start + 4] in (*_SPACE,)
        if trim_left:
            text = text.rstrip(_SPACE)
        if text:
            found.append(Token("text", text, at))
        inner = start + (3 if trim_left else 2)
        if source[inner:].lstrip(_SPACE).startswith("/*"):
            at, trim_next = _comment(source, inner)
            continue
        at, trim_next = _action(source, inner, found)


def _comment(source: str, at: int) -> tuple[int, bool]:
    end = source.find("*/", at)
    if end < 0:
        raise _error(source, at, "unclosed comment")
    rest = end + 2
    trimmed = source[rest:].lstrip(_SPACE)
    if trimmed.startswith("-}}"):
        return source.index("-}}", rest) + 3, True
    if source.startswith("}}", rest):
        return rest + 2, False
    raise _error(source, at, "comment ends before closing delimiter")


def _action(source: str, at: int, found: list[Token]) -> tuple[int, bool]:
    found.append(Token("open", "{{", at))
    gap = False
    while at < len(source):
        if source.startswith("}}", at):
            found.append(Token("close", "}}", at))
            return at + 2, False
        if gap and source.startswith("-}}", at):
            found.append(Token("close", "}}", at))
            return at + 3, True
        if source[at] in _SPACE:
            gap, at = True, at + 1
            continue
        token, at = _token(source, at)
        token.gap = gap
        found.append(token)
        gap = False
    raise _error(source, at, "unclosed action")


def _token(source: str, at: int) -> tuple[Token, int]:
    here = source[at]
    if here == '"':
        return _quoted(source, at)
    if here == "`":
        end = source.find("`", at + 1)
        if end < 0:
            raise _error(source, at, "unterminated raw quoted string")
        return Token("string", source[at + 1 : end], at), end + 1
    if here == "'":
        return _char(source, at)
    if source.startswith(":=", at):
        return Token("punctuation", ":=", at), at + 2
    if here in "|(),=":
        return Token("punctuation", here, at), at + 1
    if here == "." and not source[at + 1 : at + 2].isdigit():
        end = _word_end(source, at + 1)
        return (Token("field", source[at + 1 : end], at) if end > at + 1 else Token("dot", ".", at)), end
    if here == "$":
        end = _word_end(source, at + 1)
        return Token("variable", source[at:end], at), end
    if here.isdigit() or here in "+-.":
        end = at + 1
        while end < len(source) and (source[end].isalnum() or source[end] in "._" or (source[end] in "+-" and source[end - 1] in "eE")):
            end += 1
        return Token("number", source[at:end], at), end
    if here.isalpha() or here == "_":
        end = _word_end(source, at)
        return Token("word", source[at:end], at), end
    raise _error(
        source,
        at,
        f"unexpected {_shown(here)} in command" if here == "}" else f"unrecognized character in action: U+{ord(here):04X} '{here}'",
    )


def _shown(text: str) -> str:
    return f'"{text}"'


def _word_end(source: str, at: int) -> int:
    while at < len(source) and (source[at].isalnum() or source[at] == "_"):
        at += 1
    return at


def _quoted(source: str, start: int) -> tuple[Token, int]:
    out = []
    at = start + 1
    while at < len(source) and source[at] not in '"\n':
        if source[at] == "\\":
            piece, at = _escape(source, at)
        else:
            piece, at = source[at], at + 1
        out.append(piece)
    if source[at : at + 1] != '"':
        raise _error(source, start, "unterminated quoted string")
    return Token("string", "".join(out), start), at + 1


def _char(source: str, start: int) -> tuple[Token, int]:
    piece, at = _escape(source, start + 1) if source[start + 1 : start + 2] == "\\" else (source[start + 1 : start + 2], start + 2)
    if source[at : at + 1] != "'" or len(piece) != 1:
        raise _error(source, start, "unterminated character constant")
    return Token("number", str(ord(piece)), start), at + 1


def _escape(source: str, at: int) -> tuple[str, int]:
    kind = source[at + 1 : at + 2]
    if kind in _ESCAPES:
        return _ESCAPES[kind], at + 2
    digits = {"x": 2, "u": 4, "U": 8}.get(kind, 0)
    text = source[at + 2 : at + 2 + digits]
    try:
        if digits and len(text) == digits:
            return chr(int(text, 16)), at + 2 + digits
    except (ValueError, OverflowError):
        pass
    raise _error(source, at, f"invalid syntax in string: \\{kind}")


def _error(source: str, at: int, what: str) -> TemplateError:
    return TemplateError(f"template: :{source.count(chr(10), 0, at) + 1}: {what}")
