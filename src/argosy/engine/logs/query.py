"""What a client asked of a log, and the moments in it as text."""

from dataclasses import dataclass
from datetime import UTC, datetime

_LAST = 253_402_300_799 * 10**9


@dataclass(frozen=True, slots=True)
class LogQuery:
    stdout: bool = True
    stderr: bool = True
    since: int = 0
    """ns since the epoch, 0: from the beginning. A line of that very moment is shown, as Docker does."""
    until: int = 0
    tail: int = -1
    """Number of last entries of both streams together, counted before since and until are looked at; -1: all."""
    timestamps: bool = False
    details: bool = False
    follow: bool = False


def fixed(ns: int) -> str:
    """Return ``2026-01-02T03:04:05.123456789Z``, always nine digits: such texts sort as the moments do.

    What lies before 1970 or after 9999 is drawn to these: no line is that old or new.
    """
    seconds, fraction = divmod(min(max(ns, 0), _LAST), 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:09d}Z"


def widen(text: str) -> str:
    """Return a log's own time (Go's RFC3339Nano drops trailing zeros) with nine digits; what is not UTC is turned into it."""
    if len(text) == 30 and text.endswith("Z"):
        return text
    if text.endswith("Z"):
        head, _, fraction = text[:-1].partition(".")
        return f"{head}.{fraction:0<9}Z"
    head, _, rest = text.partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    zone = rest[len(digits) :] or text[19:]
    try:
        moment = datetime.fromisoformat(head[:19] + zone).astimezone(UTC)
    except ValueError:
        return text
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{digits:0<9}Z"
