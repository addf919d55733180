"""``.dockerignore``: https://docs.docker.com/build/concepts/context/#dockerignore-files, matched as github.com/moby/patternmatcher."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Patterns:
    """Ordered patterns; of several that match the last decides, ``!`` readmits."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._rules: list[tuple[re.Pattern[str], bool, str]] = []
        for line in lines:
            text = line.strip()
            if not text or line.startswith("#"):
                continue
            readmits = text.startswith("!")
            cleaned = _clean(text[1:].strip() if readmits else text)
            if cleaned:
                self._rules.append((_compile(cleaned), readmits, cleaned))
        self._readmits = any(readmits for _, readmits, _ in self._rules)

    @classmethod
    def read(cls, path: str) -> Patterns:
        """Return the file's patterns, none when there is no file."""
        try:
            with open(path, encoding="utf-8-sig") as file:
                return cls(file.read().splitlines())
        except FileNotFoundError:
            return cls(())

    def excludes(self, name: str) -> bool:
        """True if the path, or a directory above it, is matched."""
        excluded = False
        parts = name.split("/")
        prefixes = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
        for rule, readmits, _ in self._rules:
            if excluded == (not readmits):
                continue
            if any(rule.match(prefix) for prefix in prefixes):
                excluded = not readmits
        return excluded

    def may_readmit(self, directory: str) -> bool:
        """True if something below an excluded directory may still be wanted."""
        return self._readmits and any(
            readmits and (text.startswith((directory + "/", "*", "?", "[")) or "**" in text) for _, readmits, text in self._rules
        )


def _clean(text: str) -> str:
    parts: list[str] = []
    for part in text.split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part not in ("", ".", ".."):
            parts.append(part)
    return "/".join(parts)


def _compile(pattern: str) -> re.Pattern[str]:
    """Go's filepath.Match with ``**`` for any number of directories."""
    out, at = "", 0
    while at < len(pattern):
        char = pattern[at]
        if pattern.startswith("**", at):
            at += 2
            if pattern.startswith("/", at):
                at += 1
                out += "(?:.*/)?"
            else:
                out += ".*"
            continue
        if char == "*":
            out += "[^/]*"
        elif char == "?":
            out += "[^/]"
        elif char == "[" and (end := pattern.find("]", at + 2)) > 0:
            body = pattern[at + 1 : end]
            out += "[" + ("^" + body[1:] if body[0] in "^!" else body).replace("\\", "\\\\") + "]"
            at = end
        elif char == "\\" and at + 1 < len(pattern):
            at += 1
            out += re.escape(pattern[at])
        else:
            out += re.escape(char)
        at += 1
    return re.compile(out + r"\Z")
