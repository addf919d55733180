"""Times, spans and sizes in the words of github.com/docker/go-units and Go's time.String."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def span(seconds: float) -> str:
    """go-units' HumanDuration."""
    whole = int(seconds)
    if whole < 1:
        return "Less than a second"
    if whole == 1:
        return "1 second"
    if whole < 60:
        return f"{whole} seconds"
    minutes = whole // 60
    if minutes == 1:
        return "About a minute"
    if minutes < 60:
        return f"{minutes} minutes"
    hours = int(seconds / 3600 + 0.5)
    if hours == 1:
        return "About an hour"
    if hours < 48:
        return f"{hours} hours"
    if hours < 24 * 14:
        return f"{hours // 24} days"
    if hours < 24 * 60:
        return f"{hours // 24 // 7} weeks"
    if hours < 24 * 365 * 2:
        return f"{hours // 24 // 30} months"
    return f"{hours // 24 // 365} years"


def ago(timestamp: float, now: float) -> str:
    return f"{span(now - timestamp)} ago"


def local(timestamp: float) -> str:
    """Go's time.Time.String in the local zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S %z %Z", time.localtime(timestamp))


def parse_rfc3339(text: str) -> float:
    """Return seconds since the epoch of the API's times, 0 for what is no time (Docker's zero is year 1)."""
    from datetime import UTC, datetime

    base, _, zone = text.partition("Z") if text.endswith("Z") else (text, "", "")
    head, dot, fraction = base.partition(".")
    digits = len(fraction) - len(fraction.lstrip("0123456789"))
    offset = fraction[digits:] if dot else ""
    try:
        moment = datetime.fromisoformat(head + offset + zone)
    except ValueError:
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if moment.year < 1970:
        return 0.0
    return moment.timestamp() + (float("0." + fraction[:digits]) if digits else 0.0)


def size(count: float, digits: int = 4) -> str:
    """go-units' HumanSizeWithPrecision: powers of 1000."""
    return _scaled(count, 1000, ("B", "kB", "MB", "GB", "TB", "PB", "EB"), digits)


def bytes_size(count: float) -> str:
    """go-units' BytesSize: powers of 1024."""
    return _scaled(count, 1024, ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"), 4)


def _scaled(count: float, base: int, units: Sequence[str], digits: int) -> str:
    step = 0
    while count >= base and step < len(units) - 1:
        count /= base
        step += 1
    return f"{count:.{digits}g}{units[step]}"


def shorten(text: str, room: int) -> str:
    """Cut to ``room`` characters, the last of them an ellipsis, as docker's formatter.Ellipsis."""
    if room <= 0:
        return ""
    if len(text) <= room:
        return text
    return text[:1] if room == 1 else text[: room - 1] + "…"
