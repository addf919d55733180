"""Which version of the API is spoken.

Nothing is asked beforehand: the first request goes out in the newest version that we know; a daemon that is older
refuses it before doing anything, with its own newest version in ``Api-Version``, and the request is sent again in that.
A request whose body cannot be sent twice is preceded by a ping.
"""

from __future__ import annotations

NEWEST = (1, 55)
OLDEST = (1, 24)


def parse(text: str) -> tuple[int, int] | None:
    """Return ``1.51`` as a pair, None for anything else."""
    major, dot, minor = text.strip().removeprefix("v").partition(".")
    if not dot or not (major.isdecimal() and minor.isdecimal()):
        return None
    return int(major), int(minor)


def show(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def after_refusal(status: int, header: str | None, tried: tuple[int, int]) -> tuple[int, int] | None:
    """Return the version to try again in, None when the refusal was about something else."""
    if status != 400 or header is None:
        return None
    theirs = parse(header)
    return theirs if theirs is not None and theirs < tried else None
