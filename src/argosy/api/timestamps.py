"""Moments given by clients: Unix seconds with a fraction, RFC 3339 in its shortened forms, or a duration before now.

moby ``daemon/internal/timestamp`` (``GetTimestamp``, ``ParseTimestamps``).
"""

import re
from datetime import UTC, datetime

from argosy.base.errors import InvalidParameterError
from argosy.base.units import parse_duration

_UNIX = re.compile(r"(-?\d+)(?:\.(\d+))?\Z")
_DATE = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?)?(Z|[+-]\d\d:\d\d)?\Z",
)


def parse_timestamp(text: str, now_ns: int) -> int:
    """Return nanoseconds since the epoch; 0 for an empty text. Raises InvalidParameterError."""
    if text in ("", "0"):
        return 0
    unix = _UNIX.match(text)
    if unix is not None:
        seconds, fraction = int(unix[1]), int((unix[2] or "").ljust(9, "0")[:9] or 0)
        return seconds * 10**9 + fraction
    date = _DATE.match(text)
    if date is not None:
        return _of_date(text, date)
    try:
        return now_ns - parse_duration(text)
    except InvalidParameterError:
        raise InvalidParameterError(f'invalid timestamp "{text}": neither seconds since 1970, nor RFC 3339, nor a duration') from None


def _of_date(text: str, date: re.Match[str]) -> int:
    year, month, day, hour, minute, second = (int(date[i] or 0) for i in range(1, 7))
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise InvalidParameterError(f'parsing time "{text}": {error}') from None
    seconds = int(moment.timestamp())
    zone = date[8]
    if zone and zone != "Z":
        sign = 1 if zone[0] == "+" else -1
        seconds -= sign * (int(zone[1:3]) * 3600 + int(zone[4:6]) * 60)
    return seconds * 10**9 + int((date[7] or "").ljust(9, "0")[:9])
