"""When a client that reads a container's log may go on with its stream, with nothing lost and nothing twice. Pure.

What a program prints goes into the log first. While its output is held up (`ports.Shim.hold`) the log stands still, so a client
that has been given all of it goes on with the stream exactly where it ends. A program is held up for a second at most; so

- a log that can be read in that time is read while it is held,
- of a longer one, or for a client that was too slow for that, the greater part is read before,
- a client that cannot take even the rest in time is too slow for the stream, too: it is let go, and told so.
"""

from dataclasses import dataclass
from enum import Enum

HOLD_SECONDS = 1.0
"""As long as the shim holds (`runtime/shim/streams.py`)."""
SHORT = 64 << 20
"""Bytes of log that are read in that time by a client that takes them as fast as they come."""
REST = 1 << 20
"""Bytes of log that are left to be read in it by one that does not."""
TRIES = 3


class Step(Enum):
    READ = "read on, as far as the log goes now"
    HOLD = "have the program held up"
    JOIN = "go on with the stream"
    LET_GO = "tell the client that it is too slow"


@dataclass(frozen=True, slots=True)
class Progress:
    unread: int
    """Bytes of log, about."""
    held: bool
    complete: bool
    """All of the log has been read since the program was held up."""
    failed: int
    """How often the time was over before that."""
    lapped: bool
    """The log has been rotated away unread."""


def next_step(progress: Progress) -> Step:
    """Return what to do now."""
    if progress.lapped:
        return Step.LET_GO
    if progress.held:
        return Step.JOIN if progress.complete else Step.READ
    if progress.failed >= TRIES:
        return Step.LET_GO
    return Step.HOLD if progress.unread <= (REST if progress.failed else SHORT) else Step.READ
