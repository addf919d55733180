"""Sizes and durations as Docker and Go write them."""

import re

from argosy.base.errors import InvalidParameterError

_SIZE = re.compile(r"^(\d+(?:\.\d+)?)\s*([kmgtp]?)i?b?$", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_DURATION_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_NANOSECONDS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}


def parse_size(text: str) -> int:
    """Return bytes of ``64m``, ``1.5GiB``, ``100`` (powers of 1024, as go-units ``RAMInBytes``).

    Raises InvalidParameterError with go-units' words.
    """
    match = _SIZE.match(text.strip())
    if match is None:
        raise InvalidParameterError(f"invalid size: '{text}'")
    return int(float(match[1]) * 1024 ** _POWERS[match[2].lower()])


def parse_duration(text: str) -> int:
    """Return nanoseconds of a Go duration such as ``1h30m`` or ``500ms``; ``0`` needs no unit."""
    body, negative = (text[1:], True) if text.startswith("-") else (text.removeprefix("+"), False)
    if body == "0":
        return 0
    total, end = 0.0, 0
    for match in _DURATION_PART.finditer(body):
        if match.start() != end:
            break
        total += float(match[1]) * _NANOSECONDS[match[2]]
        end = match.end()
    if not body or end != len(body):
        raise InvalidParameterError(f'time: invalid duration "{text}"')
    return -int(total) if negative else int(total)


def human_size(count: float) -> str:
    """Return ``1.093MB``: powers of 1000, four significant digits, as go-units ``HumanSize``."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(count) < 1000:
            return f"{count:.4g}{unit}"
        count /= 1000
    return f"{count:.4g}PB"


def human_bytes(count: float) -> str:
    """Return ``1.043MiB``: powers of 1024, four significant digits, as go-units ``BytesSize``."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(count) < 1024:
            return f"{count:.4g}{unit}"
        count /= 1024
    return f"{count:.4g}PiB"
