"""Entry of the netd process: ``python -I -S __main__.py DIRECTORY NAME``.

It takes a lock, so that a daemon has one netd and no more, makes its socket in DIRECTORY and serves. Its standard output says
``ready`` when it does.
"""

import sys

if not __package__:
    # Started as a script without site packages: the package is found from where this file is, behind the standard library.
    sys.path.append(__file__.rpartition("/argosy/network/netd/")[0])

import fcntl
import os
import signal
import socket

from argosy.network.netd import wire
from argosy.network.netd.loop import Loop
from argosy.network.netd.server import Door, Server

_ALONE = 30.0
"""Seconds after which a netd that no daemon ever called goes away."""


def _detach() -> None:
    """Keep nothing of the daemon: its descriptors, its ignored signals, its working directory."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with open("/proc/self/comm", "w", encoding="ascii") as file:
        file.write("argosy-netd")
    os.chdir("/")
    os.umask(0o077)


def main(directory: str, name: str) -> int:
    _detach()
    where = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    lock = os.open(name + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600, dir_fd=where)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.write(1, b"taken\n")
        return 1
    os.ftruncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    path = wire.reach(where, name + ".sock")
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    listener.bind(path)
    listener.listen(8)
    loop = Loop()
    door = Door(loop, Server(loop), listener)
    loop.later(_ALONE, door.leave_if_useless)
    os.write(1, b"ready\n")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    os.close(null)
    loop.run()
    os.unlink(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
