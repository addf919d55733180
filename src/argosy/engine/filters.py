"""Filters of lists, prunes and events: key → values, with Docker's meaning of each kind of match. Pure.

Values of one key are alternatives; keys must all match; labels must all match (moby ``daemon/internal/filters``).
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from argosy.base.errors import InvalidParameterError
from argosy.base.units import parse_duration

Filters = Mapping[str, Sequence[str]]

_SECOND = 1_000_000_000
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
_UNIX = re.compile(r"(-?\d+)(?:\.(\d{1,9})\d*)?\Z")
_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9})\d*)?)?)?)?(Z|[+-]\d\d:\d\d)?\Z",
)


def accept(filters: Filters, known: Collection[str]) -> None:
    """Refuse a filter that nobody knows. Raises InvalidParameterError ``invalid filter 'x'``."""
    for key in filters:
        if key not in known:
            raise InvalidParameterError(f"invalid filter '{key}'")


def exact(filters: Filters, key: str, value: str) -> bool:
    """Return whether the key is absent, or one of its values is ``value``."""
    wanted = filters.get(key)
    return not wanted or value in wanted


def prefix(filters: Filters, key: str, value: str) -> bool:
    """Return whether the key is absent, or ``value`` starts with one of its values."""
    wanted = filters.get(key)
    return not wanted or any(value.startswith(start) for start in wanted)


def pattern(filters: Filters, key: str, *values: str) -> bool:
    """Return whether the key is absent, or one of its regular expressions is found in one of ``values``.

    An expression that does not compile is compared as plain text, as moby does.
    """
    wanted = filters.get(key)
    return not wanted or any(_found(expression, value) for expression in wanted for value in values)


def _found(expression: str, value: str) -> bool:
    try:
        return re.search(expression, value) is not None
    except re.error:
        return expression == value


def labels(filters: Filters, carried: Mapping[str, str] | None, key: str = "label") -> bool:
    """Return whether every asked label (``key`` or ``key=value``) is carried."""
    own = carried or {}
    return all(_has_label(own, wanted) for wanted in filters.get(key, ()))


def without_labels(filters: Filters, carried: Mapping[str, str] | None) -> bool:
    """Return whether ``label!`` is absent or not all of its labels are carried (prune keeps what carries them)."""
    wanted = filters.get("label!")
    return not wanted or not labels(filters, carried, "label!")


def _has_label(own: Mapping[str, str], wanted: str) -> bool:
    name, equals, value = wanted.partition("=")
    return name in own and (not equals or own[name] == value)


def flag(filters: Filters, key: str, default: bool | None = None) -> bool | None:
    """Return the boolean of a filter, ``default`` when absent. Raises InvalidParameterError ``invalid filter 'dangling=[x]'``."""
    values = filters.get(key)
    if not values:
        return default
    true, false = any(value in _TRUE for value in values), any(value in _FALSE for value in values)
    if true == false:
        raise InvalidParameterError(f"invalid filter '{key}=[{' '.join(sorted(values))}]'")
    return true


def until(filters: Filters, now_ns: int) -> int | None:
    """Return the moment of a prune's ``until``, None when absent. Raises InvalidParameterError in Docker's words."""
    values = filters.get("until")
    if not values:
        return None
    if len(set(values)) > 1:
        raise InvalidParameterError("more than one until filter specified")
    return moment(values[0], now_ns)


def moment(text: str, now_ns: int) -> int:
    """Return ns since the epoch of a duration before now (``10m``), a Unix time (``1700000000.5``) or a date (RFC 3339 and its
    shorter forms, local time without a zone). Raises InvalidParameterError in Docker's words."""
    if unix := _UNIX.match(text):
        return int(unix[1]) * _SECOND + int((unix[2] or "0").ljust(9, "0"))
    if date := _MOMENT.match(text):
        try:
            return _date(date)
        except (ValueError, OverflowError):
            pass
    else:
        try:
            return now_ns - parse_duration(text)
        except InvalidParameterError:
            pass
    raise InvalidParameterError(f'failed to parse value as time or duration: "{text}"')


def _date(match: re.Match[str]) -> int:
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    numbers = [int(part or 0) for part in (year, month, day, hour, minute, second)]
    if zone is None:
        seconds = int(datetime(*numbers).timestamp())  # type: ignore[arg-type]
    else:
        seconds = int(datetime(*numbers, tzinfo=UTC).timestamp()) - _offset(zone)  # type: ignore[arg-type,misc]
    return seconds * _SECOND + int((fraction or "0").ljust(9, "0"))


def _offset(zone: str) -> int:
    if zone == "Z":
        return 0
    size = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
    return -size if zone[0] == "-" else size
