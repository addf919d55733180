"""One thing that was looked at."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OK, NOTE, MISSING = "ok", "note", "missing"


class Finding:
    """``state`` is ok, note (less than it could be) or missing (something needed); the last two say what follows and what mends it."""

    __slots__ = ("consequence", "detail", "name", "remedy", "section", "state")

    def __init__(self, section: str, name: str, state: str, detail: str, consequence: str = "", remedy: str = "") -> None:
        self.section = section
        self.name = name
        self.state = state
        self.detail = detail
        self.consequence = consequence
        self.remedy = remedy

    def plain(self) -> dict[str, Any]:
        """Return what ``--format json`` prints."""
        return {
            "Section": self.section,
            "Name": self.name,
            "State": self.state,
            "Detail": self.detail,
            "Consequence": self.consequence,
            "Remedy": self.remedy,
        }
