"""Signals as clients write them: ``SIGTERM``, ``term``, ``15``, ``SIGRTMIN+3`` (moby ``sys/signal``)."""

import signal

from argosy.base.errors import InvalidParameterError

_RTMIN, _RTMAX = 34, 64


def _names() -> dict[str, int]:
    known = {one.name.removeprefix("SIG"): int(one) for one in signal.Signals if one.name not in ("SIGRTMIN", "SIGRTMAX")}
    known |= {"CLD": known["CHLD"], "IOT": known["ABRT"], "POLL": known["IO"], "UNUSED": 31, "STKFLT": 16}
    known |= {"RTMIN": _RTMIN, "RTMAX": _RTMAX}
    known |= {f"RTMIN+{step}": _RTMIN + step for step in range(1, 16)}
    known |= {f"RTMAX-{step}": _RTMAX - step for step in range(1, 15)}
    return known


NAMES = _names()


def parse_signal(text: str) -> int:
    """Return the number. Raises InvalidParameterError ``invalid signal: FOO``; zero is none."""
    number = int(text) if text.isascii() and text.isdecimal() else NAMES.get(text.upper().removeprefix("SIG"), 0)
    if number == 0:
        raise InvalidParameterError(f"invalid signal: {text}")
    return number


def check_signal(text: str) -> None:
    """An empty one is the default."""
    if text:
        parse_signal(text)
