"""Quotes, escapes and ``$NAME`` in words: buildkit ``frontend/dockerfile/shell`` is the reference, errors have its words."""

from collections.abc import Mapping

from argosy.base.errors import InvalidParameterError
from argosy.build.dockerfile.errors import GrammarError
from argosy.build.dockerfile.globs import Glob
from argosy.build.dockerfile.words import quoted

_SPECIAL = "@*#?-$!0"
_DEEPEST = 100
_LARGEST = 1 << 22
"""``ENV a=$a$a`` thirty times over would take all memory; the kernel takes 128 KiB a variable (execve(2))."""


class ExpansionError(InvalidParameterError):
    """A word that cannot be expanded."""


def expand(word: str, env: Mapping[str, str], *, escape: str = "\\") -> str:
    """Return the word without quotes and with variables replaced; an unset one is empty. Raises ExpansionError."""
    return _run(Lexer(word, env, escape))[0]


def expand_words(word: str, env: Mapping[str, str], *, escape: str = "\\") -> list[str]:
    """Return the words that come of it: white space outside of quotes, also that of values, separates."""
    return _run(Lexer(word, env, escape))[1]


def expand_text(text: str, env: Mapping[str, str]) -> str:
    """Return a here-document with variables replaced; quotes are text. A backslash escapes."""
    return _run(Lexer(text, env, "\\", quotes=False))[0]


def _run(lexer: "Lexer") -> tuple[str, list[str]]:
    try:
        return lexer.run()
    except GrammarError as error:
        raise ExpansionError(f"failed to process {quoted(lexer.text)}: {error}") from None


class _Words:
    """Gathers the whole and, beside it, the words that it falls into."""

    def __init__(self) -> None:
        self.whole: list[str] = []
        self.words: list[str] = []
        self._word: list[str] = []
        self._size = 0

    def add(self, text: str) -> None:
        """Take text whose white space separates."""
        self._count(text)
        self.whole.append(text)
        for char in text:
            if not char.isspace():
                self._word.append(char)
            elif self._word:
                self._end()

    def add_quoted(self, text: str) -> None:
        self._count(text)
        self.whole.append(text)
        self._word.append(text)

    def _count(self, text: str) -> None:
        self._size += len(text)
        if self._size > _LARGEST:
            raise GrammarError("the value is larger than 4 MiB")

    def _end(self) -> None:
        if word := "".join(self._word):
            self.words.append(word)
        self._word = []

    def result(self) -> tuple[str, list[str]]:
        self._end()
        return "".join(self.whole), self.words


class Lexer:
    """One pass over one word.

    ``quotes`` False: quotes are text. What is kept stays as it is written; here-documents are found so.
    """

    def __init__(
        self,
        text: str,
        env: Mapping[str, str],
        escape: str,
        *,
        quotes: bool = True,
        keep_quotes: bool = False,
        keep_escapes: bool = False,
        keep_unset: bool = False,
    ) -> None:
        self.text = text
        self._env = env
        self._escape = escape
        self._quotes = quotes
        self._keep_quotes = keep_quotes
        self._keep_escapes = keep_escapes
        self._keep_unset = keep_unset
        self._at = 0
        self._depth = 0

    def run(self) -> tuple[str, list[str]]:
        """Return the whole and its words. Raises GrammarError."""
        return self._until("", self._keep_escapes)

    def _peek(self) -> str:
        return self.text[self._at : self._at + 1]

    def _next(self) -> str:
        char = self.text[self._at : self._at + 1]
        self._at += 1
        return char

    def _until(self, stop: str, keep_escapes: bool) -> tuple[str, list[str]]:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise GrammarError("syntax error: substitutions nested too deeply")
        before, self._keep_escapes = self._keep_escapes, keep_escapes
        try:
            return self._scan(stop)
        finally:
            self._keep_escapes = before
            self._depth -= 1

    def _scan(self, stop: str) -> tuple[str, list[str]]:
        out = _Words()
        while char := self._next():
            if char == stop:
                return out.result()
            if char == "$":
                out.add(self._dollar())
            elif char == "'" and self._quotes:
                out.add_quoted(self._single())
            elif char == '"' and self._quotes:
                out.add_quoted(self._double())
            elif char == self._escape:
                out.add_quoted((char if self._keep_escapes else "") + self._next())
            else:
                out.add(char)
        if stop:
            raise GrammarError(f"unexpected end of statement while looking for matching {stop}")
        return out.result()

    def _single(self) -> str:
        end = self.text.find("'", self._at)
        if end < 0:
            raise GrammarError("unexpected end of statement while looking for matching single-quote")
        inside, self._at = self.text[self._at : end], end + 1
        return f"'{inside}'" if self._keep_quotes else inside

    def _double(self) -> str:
        out: list[str] = []
        while char := self._next():
            if char == '"':
                return f'"{"".join(out)}"' if self._keep_quotes else "".join(out)
            if char == "$":
                out.append(self._dollar())
                continue
            if char == self._escape:
                if self._keep_escapes:
                    out.append(char)
                if not self._peek():
                    continue
                # Only these can be escaped within double quotes; before others the escape character stands for itself.
                if self._peek() in ('"', "$", self._escape):
                    char = self._next()
            out.append(char)
        raise GrammarError("unexpected end of statement while looking for matching double-quote")

    def _dollar(self) -> str:
        if self._peek() != "{":
            name = self._name()
            if not name:
                return "$"
            return self._env.get(name, f"${name}" if self._keep_unset else "")
        self._next()
        if not self._peek():
            raise GrammarError("syntax error: missing '}'")
        if self._peek() in "{}:":
            raise GrammarError("syntax error: bad substitution")
        return self._braces(self._name())

    def _name(self) -> str:
        start = self._at
        if self._peek().isdigit():
            while self._peek().isdigit():
                self._at += 1
        elif self._peek() and self._peek() in _SPECIAL:
            self._at += 1
        else:
            while self._peek().isalnum() or self._peek() == "_":
                self._at += 1
        return self.text[start : self._at]

    def _braces(self, name: str) -> str:
        operator = self._next()
        value = self._env.get(name)
        if operator == "}":
            return value if value is not None else f"${{{name}}}" if self._keep_unset else ""
        if operator == "/":
            return self._replaced(name, value)
        # With a colon an empty value counts as none.
        colon = operator == ":"
        if colon:
            operator = self._next()
        if not operator:
            raise GrammarError("syntax error: missing '}'")
        shown = (":" if colon else "") + operator
        if operator not in "+-?#%":
            raise GrammarError(f"unsupported modifier ({shown}) in substitution")
        word = self._argument("}", keep_escapes=operator in "#%")
        if value is None and self._keep_unset:
            return f"${{{name}{shown}{word}}}"
        if operator in "#%":
            return _trimmed(value or "", operator, word)
        missing = value is None or (colon and not value)
        if operator == "?" and missing:
            raise GrammarError(f"{name}: {word or 'is not allowed to be ' + ('unset' if value is None else 'empty')}")
        if operator == "+":
            return "" if missing else word
        return word if missing else value or ""

    def _argument(self, stop: str, *, keep_escapes: bool) -> str:
        try:
            return self._until(stop, keep_escapes)[0]
        except GrammarError as error:
            if str(error).startswith("unexpected end"):
                raise GrammarError("syntax error: missing '/' in ${}" if stop == "/" else "syntax error: missing '}'") from None
            raise

    def _replaced(self, name: str, value: str | None) -> str:
        everywhere = self._peek() == "/"
        if everywhere:
            self._next()
        pattern = self._argument("/", keep_escapes=True)
        replacement = self._argument("}", keep_escapes=True)
        if value is None and self._keep_unset:
            return f"${{{name}/{pattern}/{replacement}}}"
        return Glob(pattern).replaced(value or "", replacement, everywhere=everywhere)


def _trimmed(value: str, operator: str, pattern: str) -> str:
    longest = pattern.startswith(operator)
    glob = Glob(pattern[1:] if longest else pattern)
    return glob.without_prefix(value, longest=longest) if operator == "#" else glob.without_suffix(value, longest=longest)
