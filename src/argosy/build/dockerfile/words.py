"""A line's words: verb and flags, quoted words, the JSON form. The rules are those of buildkit ``frontend/dockerfile/parser``."""

import json
import re

from argosy.build.dockerfile.errors import GrammarError

_BLANK = re.compile(r"[\t\v\f\r ]+")


def quoted(text: str) -> str:
    """Return ``text`` as Go's ``%q`` shows it."""
    return json.dumps(text, ensure_ascii=False)


def command(line: str) -> tuple[str, tuple[str, ...], str]:
    """Return the verb as written, the flags (``--name=value``, without quotes) and the rest, stripped."""
    verb, *rest = _BLANK.split(line.strip(), maxsplit=1)
    flags, arguments = _flags(rest[0]) if rest else ((), "")
    return verb, flags, arguments.strip()


def fields(text: str) -> tuple[str, ...]:
    """Split at white space alone; quotes mean nothing."""
    return tuple(_BLANK.split(text)) if text else ()


def key_and_rest(text: str) -> tuple[str, ...]:
    """Return the first field and all that follows, as ``ENV key the rest``."""
    return tuple(_BLANK.split(text, maxsplit=1))


def _flags(line: str) -> tuple[tuple[str, ...], str]:
    """Take the words that begin with ``--`` from the front; ``--`` alone ends them."""
    found: list[str] = []
    at = 0
    while True:
        while at < len(line) and line[at].isspace():
            at += 1
        if not line.startswith("--", at):
            return tuple(found), line[at:]
        word, at = _flag(line, at)
        if word == "--":
            return tuple(found), line[at:]
        found.append(word)


def _flag(line: str, at: int) -> tuple[str, int]:
    """Return the word without its quotes, and where it ends. A backslash escapes here whatever the file's escape character is."""
    out: list[str] = []
    quote = ""
    while at < len(line) and (quote or not line[at].isspace()):
        char = line[at]
        if char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        elif char == "\\":
            at += 1
            out.append(line[at : at + 1])
        else:
            out.append(char)
        at += 1
    return "".join(out), at


def split(text: str, escape: str) -> tuple[str, ...]:
    """Split at white space outside of quotes; quotes and escapes stay for the expansion."""
    words: list[str] = []
    out: list[str] = []
    quote, begun, at = "", False, 0
    while at < len(text):
        char = text[at]
        at += 1
        if not quote and char.isspace():
            if begun:
                words.append("".join(out))
            out, begun = [], False
            continue
        if char == escape and quote != "'":
            if at == len(text):
                break
            char += text[at]
            at += 1
        elif char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        out.append(char)
        begun = True
    return (*words, "".join(out)) if begun else tuple(words)


def json_form(text: str) -> tuple[str, ...] | None:
    """Return the words of ``["a", "b"]``, None for anything else. Raises GrammarError for an array of other things than strings."""
    if not text.startswith("["):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(item, str) for item in value):
        raise GrammarError("when using JSON array syntax, arrays must be comprised of strings only")
    # Half a surrogate pair cannot be written out again; Go reads it as U+FFFD too.
    return tuple(item.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for item in value)
