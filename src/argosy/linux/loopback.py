"""The loopback link of a network namespace (netdevice(7))."""

import _socket as socket
import fcntl
import struct

_SIOCSIFFLAGS = 0x8914
_IFF_UP = 0x1


def raise_loopback() -> None:
    """Bring ``lo`` of this process's network namespace up; needs CAP_NET_ADMIN there. Raises OSError."""
    # Any family answers for devices; this one is in every kernel.
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        # struct ifreq: ifr_name, ifr_flags
        fcntl.ioctl(sock.fileno(), _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP))
    finally:
        sock.close()
