"""Patterns of names: ``*`` stands for anything within a path component, ``**`` also for slashes, ``?`` for one character."""

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(r"\*\*|\*|\?|[^*?]+")
_MEANING = {"**": ".*", "*": "[^/]*", "?": "[^/]"}


@dataclass(frozen=True, slots=True)
class Pattern:
    text: str
    _expression: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        meaning = "".join(_MEANING.get(token) or re.escape(token) for token in _TOKEN.findall(self.text))
        object.__setattr__(self, "_expression", re.compile(meaning + r"\Z", re.DOTALL))

    def matches(self, name: str) -> bool:
        return self._expression.match(name) is not None
