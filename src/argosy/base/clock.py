"""Time as an argument: real in the daemon, set by hand in tests."""

import time
from datetime import UTC, datetime
from typing import Protocol

ZERO_TIME = "0001-01-01T00:00:00Z"
"""How the Engine API writes "never" (Go's zero time)."""


class Clock(Protocol):
    def now_ns(self) -> int:
        """Return nanoseconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Return seconds of a clock that never goes back."""
        ...


class SystemClock:
    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic(self) -> float:
        return time.monotonic()


class ManualClock:
    """A clock that moves only when told to."""

    def __init__(self, start_ns: int = 1_700_000_000_000_000_000) -> None:
        self._ns = start_ns

    def now_ns(self) -> int:
        return self._ns

    def monotonic(self) -> float:
        return self._ns / 1e9

    def advance(self, seconds: float) -> None:
        self._ns += int(seconds * 1e9)


def rfc3339_nano(ns: int) -> str:
    """Return ``2026-01-02T03:04:05.123456789Z`` as Go's RFC3339Nano: trailing zeros dropped; 0 is Go's zero time."""
    if ns == 0:
        return ZERO_TIME
    seconds, fraction = divmod(ns, 1_000_000_000)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    if fraction:
        text += f".{fraction:09d}".rstrip("0")
    return text + "Z"
