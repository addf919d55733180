"""Network namespaces: to act inside one without leaving a trace in the caller's (setns(2), network_namespaces(7)).

setns works on the calling thread alone. A socket stays in the namespace where it was made, so a moment inside is enough.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from argosy.linux import syscall

CLONE_NEWNET = 0x40000000
_OWN = "/proc/thread-self/ns/net"


def open_pid(pid: int) -> int:
    """Return a descriptor of that process's network namespace; the caller closes it. Raises OSError when it is gone.

    Such a descriptor keeps the namespace, and all links in it, alive: hold it no longer than needed.
    """
    return os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)


@contextmanager
def entered(netns_fd: int) -> Iterator[None]:
    """Be in that namespace for the block, which must not await: other coroutines would run in there."""
    home = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
    try:
        syscall.call("setns", netns_fd, CLONE_NEWNET)
        try:
            yield
        finally:
            try:
                syscall.call("setns", home, CLONE_NEWNET)
            except OSError:
                # A daemon that goes on in a container's namespace is worse than one that is started again.
                os.abort()
    finally:
        os.close(home)


def socket_in(netns_fd: int, family: int, type: int, proto: int = 0) -> socket.socket:
    """Return a socket made in that namespace."""
    with entered(netns_fd):
        return socket.socket(family, type | socket.SOCK_CLOEXEC, proto)


def create() -> int:
    """Return a descriptor of a new, empty namespace that lives as long as something holds it; the caller stays where it was."""
    home = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
    try:
        syscall.call("unshare", CLONE_NEWNET)
        try:
            return os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
        finally:
            try:
                syscall.call("setns", home, CLONE_NEWNET)
            except OSError:
                os.abort()
    finally:
        os.close(home)
