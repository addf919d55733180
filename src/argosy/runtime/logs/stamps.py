"""Timestamps of log records: strictly increasing, and cheap to write by the thousand.

Time is kept as (tick of ten microseconds, step), a step being one of the 9000 nanosecond counts within a tick that do not
end in 0. Go trims zeros at the end of a fraction (RFC3339Nano); ours never end in one, so every stamp has nine digits.
"""

import time

TICK = 10_000
STEPS = 9000
DIGITS = tuple(b"%04d" % count for count in range(TICK) if count % 10)
"""The last four digits of a stamp, by its step. Shared with the launcher; a shim takes from it only for many lines at once,
because every use writes reference counts and so makes the memory its own."""


class Stamps:
    """The clock of one run of a container, shared by its streams."""

    __slots__ = ("_now", "_second", "_step", "_text", "_tick")

    def __init__(self, now_ns: "object" = None) -> None:
        self._now = now_ns if callable(now_ns) else time.time_ns
        self._tick = 0
        self._step = 0
        self._second = -1
        self._text = b""

    def one(self) -> bytes:
        """Return the next stamp in full, without its ``Z``."""
        tick, rest = divmod(int(self._now()), TICK)
        step = rest * STEPS // TICK
        if (tick, step) <= (self._tick, self._step):
            tick, step = self._tick, self._step + 1
            if step == STEPS:
                tick, step = tick + 1, 0
        self._tick, self._step = tick, step
        tens, units = divmod(step, 9)
        return b"%s%03d%d" % (self._format(tick), tens, units + 1)

    def many(self, count: int) -> tuple[bytes, tuple[bytes, ...]]:
        """Return ``count`` (at most STEPS) stamps as what they begin with and how each ends."""
        self._tick, self._step = max(int(self._now()) // TICK, self._tick + 1), count - 1
        return self._format(self._tick), DIGITS[:count]

    def nanoseconds(self, count: int) -> int:
        """Return the first of ``count`` consecutive nanoseconds."""
        first = max(int(self._now()), (self._tick + 1) * TICK)
        self._tick, self._step = (first + count - 1) // TICK, STEPS - 1
        return first

    def _format(self, tick: int) -> bytes:
        second, fraction = divmod(tick, 100_000)
        if second != self._second:
            self._second = second
            self._text = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second)).encode()
        return self._text + b"%05d" % fraction
