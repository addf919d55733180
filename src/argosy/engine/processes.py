"""A small ps over /proc, for hosts without one: ``-ef``, ``aux``, and ``-o`` with the usual columns (proc(5), ps(1))."""

import os
import pwd
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from argosy.base.errors import InvalidParameterError

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_FULL = ("uid", "pid", "ppid", "c", "stime", "tty", "time", "cmd")
_BSD = ("user", "pid", "%cpu", "%mem", "vsz", "rss", "tty", "stat", "start", "time", "command")


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    ppid: int
    uid: int
    state: str
    tty: str
    cpu_ticks: int
    started: float
    """Seconds since the epoch."""
    vsz: int
    rss: int
    """KiB."""
    name: str
    command: str


_Column = Callable[[Process, float, int], str]
"""(process, now, total memory in KiB) → text."""

_COLUMNS: dict[str, tuple[str, _Column]] = {
    "pid": ("PID", lambda process, now, memory: str(process.pid)),
    "ppid": ("PPID", lambda process, now, memory: str(process.ppid)),
    "uid": ("UID", lambda process, now, memory: _user(process.uid)),
    "user": ("USER", lambda process, now, memory: _user(process.uid)),
    "c": ("C", lambda process, now, memory: str(min(99, int(_share(process, now))))),
    "%cpu": ("%CPU", lambda process, now, memory: f"{_share(process, now):.1f}"),
    "%mem": ("%MEM", lambda process, now, memory: f"{100 * process.rss / memory:.1f}"),
    "vsz": ("VSZ", lambda process, now, memory: str(process.vsz)),
    "rss": ("RSS", lambda process, now, memory: str(process.rss)),
    "tty": ("TTY", lambda process, now, memory: process.tty),
    "stat": ("STAT", lambda process, now, memory: process.state),
    "s": ("S", lambda process, now, memory: process.state),
    "stime": ("STIME", lambda process, now, memory: _start(process.started, now)),
    "start": ("START", lambda process, now, memory: _start(process.started, now)),
    "time": ("TIME", lambda process, now, memory: _duration(process.cpu_ticks // _TICK)),
    "etime": ("ELAPSED", lambda process, now, memory: _duration(int(now - process.started))),
    "comm": ("COMMAND", lambda process, now, memory: process.name),
    "cmd": ("CMD", lambda process, now, memory: process.command),
    "command": ("COMMAND", lambda process, now, memory: process.command),
}
_ALIASES = {"args": "command", "pcpu": "%cpu", "pmem": "%mem", "euser": "user", "tt": "tty", "state": "s", "ucmd": "comm", "vsize": "vsz"}


def table(words: list[str], pids: Collection[int]) -> tuple[list[str], list[list[str]]]:
    """Return (titles, rows) as ps would. Raises InvalidParameterError for arguments that this reader does not know."""
    names = columns(words)
    if "pid" not in names:
        raise InvalidParameterError("Couldn't find PID field in ps output")
    now, memory = time.time(), os.sysconf("SC_PHYS_PAGES") * _PAGE // 1024
    found = [process for pid in sorted(pids) if (process := read(pid)) is not None]
    return [_COLUMNS[name][0] for name in names], [[_COLUMNS[name][1](process, now, memory) for name in names] for process in found]


def columns(words: list[str]) -> tuple[str, ...]:
    """Return the columns that ps arguments ask for. Raises InvalidParameterError."""
    asked: list[str] = []
    style: tuple[str, ...] = _FULL
    position = 0
    while position < len(words):
        word = words[position]
        if word.lstrip("-") in ("aux", "u", "ux", "au"):
            style = _BSD
        elif word.startswith("-") and word.endswith("o") and set(word[1:-1]) <= set("eAafwx"):
            position += 1
            asked += words[position].split(",") if position < len(words) else []
        elif word.startswith("-o"):
            asked += word[2:].split(",")
        elif not (word.startswith("-") and len(word) > 1 and set(word[1:]) <= set("eAafFwx")):
            raise InvalidParameterError(f"ps: error: unsupported option {word} (no ps on this host)")
        position += 1
    names = tuple(_ALIASES.get(name.lower(), name.lower()) for name in asked if name)
    for name in names:
        if name not in _COLUMNS:
            raise InvalidParameterError(f'ps: error: unknown user-defined format specifier "{name}"')
    return names or style


def read(pid: int) -> Process | None:
    """Return what /proc tells of a process, None when it has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            stat = file.read()
        with open(f"/proc/{pid}/cmdline", "rb") as file2:
            command = file2.read()
        uid = os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return None
    return parse(stat, command, uid, _boot_time())


def parse(stat: str, command: bytes, uid: int, boot: float) -> Process:
    """The name in brackets may itself hold blanks and brackets, so the fields are counted from the last one (proc(5))."""
    head, _, tail = stat.rpartition(")")
    pid, _, name = head.partition(" (")
    fields = tail.split()
    words = " ".join(part.decode("utf-8", "replace") for part in command.rstrip(b"\0").split(b"\0"))
    return Process(
        pid=int(pid),
        ppid=int(fields[1]),
        uid=uid,
        state=fields[0],
        tty=_tty(int(fields[4])),
        cpu_ticks=int(fields[11]) + int(fields[12]),
        started=boot + int(fields[19]) / _TICK,
        vsz=int(fields[20]) // 1024,
        rss=int(fields[21]) * _PAGE // 1024,
        name=name,
        command=words or f"[{name}]",
    )


def _boot_time() -> float:
    with open("/proc/stat", encoding="ascii") as file:
        return next(float(line.split()[1]) for line in file if line.startswith("btime"))


def _tty(number: int) -> str:
    major, minor = os.major(number), os.minor(number)
    if 136 <= major <= 143:
        return f"pts/{minor + (major - 136) * 256}"
    return f"tty{minor}" if major == 4 else "?"


def _user(uid: int) -> str:
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
    return name if len(name) <= 8 else name[:7] + "+"


def _share(process: Process, now: float) -> float:
    elapsed = max(now - process.started, 1.0)
    return 100 * process.cpu_ticks / _TICK / elapsed


def _start(started: float, now: float) -> str:
    return time.strftime("%H:%M" if now - started < 86400 else "%b%d", time.localtime(started))


def _duration(seconds: int) -> str:
    days, rest = divmod(seconds, 86400)
    text = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{days}-{text}" if days else text
