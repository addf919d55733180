"""``--since`` and ``--until``: a duration back from now, a date, or seconds since the epoch (moby timetypes.GetTimestamp)."""

from __future__ import annotations

import re
import time

from argosy.base.errors import InvalidParameterError
from argosy.base.units import parse_duration
from argosy.cli.errors import ExitError

_LAYOUT = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T(\d{2}(?::\d{2}(?::\d{2}(?:\.(\d+))?)?)?))?(Z|[+-]\d{2}:\d{2})?\Z")


def moment(text: str, what: str = "since") -> str:
    """Return seconds with nanoseconds after a dot, ``""`` for ``""``; a time without a zone is local. Raises ExitError."""
    if not text:
        return ""
    try:
        nanoseconds = time.time_ns() - parse_duration(text)
    except InvalidParameterError:
        pass
    else:
        return _show(nanoseconds)
    match = _LAYOUT.match(text)
    if match is not None:
        return _date(match, text, what)
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return text
    raise ExitError(1, f'invalid value for "{what}": failed to parse value as time or duration: "{text}"')


def _show(nanoseconds: int) -> str:
    return f"{nanoseconds // 10**9}.{nanoseconds % 10**9:09d}"


def _date(match: re.Match[str], text: str, what: str) -> str:
    from datetime import datetime

    date, clock, fraction, zone = match.groups()
    clock = (clock or "00").partition(".")[0]
    clock += ":00" * (2 - clock.count(":"))
    try:
        found = datetime.fromisoformat(f"{date}T{clock}{(zone or '').replace('Z', '+00:00')}")
        seconds = int(found.timestamp())
    except ValueError:
        raise ExitError(1, f'invalid value for "{what}": failed to parse value as time or duration: "{text}"') from None
    return f"{seconds}.{(fraction or '').ljust(9, '0')[:9]}"
