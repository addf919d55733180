"""What ``ps`` shows of a process: its own argument vector, overwritten in place, and its name.

proc(5): /proc/PID/stat fields 48 and 49 are the bounds of the argument area. Moving them (PR_SET_MM) needs
CAP_SYS_RESOURCE; writing into the area does not. The launcher is started with a long argument to make room.
"""

import os

_bounds: "tuple[int, int] | None" = None


def remember_area() -> None:
    """Look the bounds up once, before the first fork; they are the same in all forks."""
    global _bounds
    _bounds = _area()


def set_title(*words: str) -> None:
    """Make /proc/self/cmdline these words. Best effort: a kernel that refuses leaves the old ones."""
    try:
        start, end = _bounds or _area()
        text = b"\0".join(os.fsencode(word) for word in words)[: end - start - 1]
        fd = os.open("/proc/self/mem", os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.pwrite(fd, text.ljust(end - start, b"\0"), start)
        finally:
            os.close(fd)
    except (OSError, ValueError, IndexError):
        pass
    try:
        fd = os.open("/proc/self/comm", os.O_WRONLY | os.O_CLOEXEC)
        os.write(fd, words[0].encode())
        os.close(fd)
    except OSError:
        pass


def _area() -> tuple[int, int]:
    fd = os.open("/proc/self/stat", os.O_RDONLY | os.O_CLOEXEC)
    try:
        stat = os.read(fd, 4096)
    finally:
        os.close(fd)
    fields = stat[stat.rindex(b")") + 2 :].split()
    return int(fields[45]), int(fields[46])
