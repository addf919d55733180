"""Signal names and numbers, read as Docker reads them (moby/sys/signal)."""

_COMMON = {
    "HUP": 1,
    "INT": 2,
    "QUIT": 3,
    "ILL": 4,
    "TRAP": 5,
    "ABRT": 6,
    "IOT": 6,
    "BUS": 7,
    "FPE": 8,
    "KILL": 9,
    "USR1": 10,
    "SEGV": 11,
    "USR2": 12,
    "PIPE": 13,
    "ALRM": 14,
    "TERM": 15,
    "STKFLT": 16,
    "CHLD": 17,
    "CLD": 17,
    "CONT": 18,
    "STOP": 19,
    "TSTP": 20,
    "TTIN": 21,
    "TTOU": 22,
    "URG": 23,
    "XCPU": 24,
    "XFSZ": 25,
    "VTALRM": 26,
    "PROF": 27,
    "WINCH": 28,
    "IO": 29,
    "POLL": 29,
    "PWR": 30,
    "SYS": 31,
    "UNUSED": 31,
}
RTMIN, RTMAX = 34, 64
SIGKILL, SIGTERM, SIGCHLD, SIGCONT = 9, 15, 17, 18

BY_NAME = {
    **_COMMON,
    "RTMIN": RTMIN,
    "RTMAX": RTMAX,
    **{f"RTMIN+{offset}": RTMIN + offset for offset in range(1, 16)},
    **{f"RTMAX-{offset}": RTMAX - offset for offset in range(1, 15)},
}
"""Without ``SIG``; Linux numbers of x86-64 and arm64."""


def parse_signal(text: str) -> int:
    """Return the number of ``SIGTERM``, ``term``, ``15``, ``RTMIN+1``; raises ValueError ``invalid signal: x``."""
    # Go's strconv.Atoi takes a sign, and no spaces or underscores.
    digits = text[1:] if text[:1] in ("+", "-") else text
    if digits.isascii() and digits.isdigit():
        number = int(text)
        if number == 0:
            raise ValueError(f"invalid signal: {text}")
        return number
    try:
        return BY_NAME[text.upper().removeprefix("SIG")]
    except KeyError:
        raise ValueError(f"invalid signal: {text}") from None


def is_valid(number: int) -> bool:
    """Return whether the kernel knows this signal."""
    return 0 < number <= RTMAX


def signal_name(number: int) -> str:
    """Return ``SIGTERM`` for 15; the number itself when it has no name."""
    for name, value in BY_NAME.items():
        if value == number:
            return "SIG" + name
    return str(number)
