"""Terminals of a container: made in its own devpts, so that ttyname(3) and /dev/console are right inside.

pty(7), TIOCGPTPEER in ioctl_tty(2) (Linux 4.13).
"""

import fcntl
import os
import struct

_TIOCSCTTY, _TIOCSWINSZ, _TIOCGWINSZ = 0x540E, 0x5414, 0x5413
_TIOCSPTLCK, _TIOCGPTN, _TIOCGPTPEER = 0x40045431, 0x80045430, 0x5441


def open_pair(devpts: int) -> tuple[int, int]:
    """Return (master, slave) made through ``ptmx`` in the devpts whose root fd is given."""
    master = os.open(b"ptmx", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC, dir_fd=devpts)
    try:
        fcntl.ioctl(master, _TIOCSPTLCK, struct.pack("i", 0))
        # Not by its name in /dev/pts: the image or another process could have put something else there.
        slave = fcntl.ioctl(master, _TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except BaseException:
        os.close(master)
        raise
    return master, slave


def number(master: int) -> int:
    """Return N of /dev/pts/N."""
    (value,) = struct.unpack("i", fcntl.ioctl(master, _TIOCGPTN, b"\0\0\0\0"))
    return int(value)


def set_size(fd: int, rows: int, columns: int) -> None:
    fcntl.ioctl(fd, _TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def get_size(fd: int) -> tuple[int, int]:
    """Return (rows, columns)."""
    rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(fd, _TIOCGWINSZ, b"\0" * 8))
    return rows, columns


def control(slave: int) -> None:
    """Make it the controlling terminal of this session's leader."""
    fcntl.ioctl(slave, _TIOCSCTTY, 0)
