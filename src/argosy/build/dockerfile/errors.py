"""What is wrong with a Dockerfile, and where."""

from argosy.base.errors import InvalidParameterError
from argosy.base.suggest import distance
from argosy.build.dockerfile.ast import Location


class DockerfileError(InvalidParameterError):
    """``str(error)`` has BuildKit's words. ``line`` counts from 1, 0 for the whole file; ``instruction`` is the text of the line."""

    def __init__(self, message: str, location: Location, instruction: str = "") -> None:
        super().__init__(message)
        self.location = location
        self.file = location.file
        self.line = location.first
        self.instruction = instruction

    def excerpt(self, source: str) -> str:
        """Return the lines around the mistake as BuildKit's client prints them, empty where there is no line to show."""
        lines = source.split("\n")
        first, last = self.location.first, max(self.location.first, self.location.last)
        if not 0 < first <= len(lines):
            return ""
        out = [f"{self.file}:{first}", "-" * 20]
        for number in range(max(1, first - 2), min(len(lines), last + 2) + 1):
            mark = ">>>" if first <= number <= last else "   "
            out.append(f" {number:3} | {mark} {lines[number - 1]}".rstrip())
        return "\n".join([*out, "-" * 20])


class GrammarError(Exception):
    """Words for a mistake whose place the caller knows."""


def suggestion(word: str, known: tuple[str, ...], *, any_case: bool = False) -> str:
    """Return `` (did you mean X?)`` for the nearest word less than three edits away (buildkit ``util/suggest``), else nothing."""
    given = word.lower() if any_case else word
    options = [option.lower() if any_case else option for option in known]
    near = min(options, key=lambda option: distance(given, option))
    if given in options or distance(given, near) > 2:
        return ""
    return f" (did you mean {near.upper() if any_case and word.isupper() else near}?)"
