"""Messages between daemon, launcher, shim and worker: one JSON object with fds, a packet each (unix(7), SOCK_SEQPACKET).

A packet begins with ``J`` and holds the JSON itself, or is ``M`` and its first fd is a sealed memfd with the JSON: SEQPACKET
refuses packets that do not fit the socket's buffer, and a configuration can be of any size.
"""

import _socket as socket
import fcntl
import os
import struct

from argosy.runtime import plainjson

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Message = dict[str, Any]

VERSION = 1
"""Of the protocol. A shim answers with its own in ``hello``; a newer daemon speaks the older one's."""

TAKEN = b"T"
"""The first packet on a control connection: a fork of the launcher has this request now."""
INLINE = 16 * 1024
MAX_FDS = 250
_SEALS = 0xF  # F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE
_WRITE_SEAL = 0x8


def pack(message: "Message") -> tuple[bytes, int]:
    """Return (packet, memfd or -1); the caller closes the memfd after sending it as the first fd."""
    body = plainjson.dumps(message).encode()
    if len(body) <= INLINE:
        return b"J" + body, -1
    return b"M", _sealed(body)


def send(link: socket.socket, message: "Message", fds: "Sequence[int]" = ()) -> None:
    """Send one message. Raises OSError (BrokenPipeError when the other side is gone)."""
    packet, memfd = pack(message)
    try:
        send_packet(link, packet, (memfd, *fds) if memfd >= 0 else fds)
    finally:
        if memfd >= 0:
            os.close(memfd)


def send_packet(link: socket.socket, packet: bytes, fds: "Sequence[int]") -> None:
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack(f"{len(fds)}i", *fds))] if fds else []
    link.sendmsg([packet], rights, socket.MSG_NOSIGNAL)


def receive(link: socket.socket) -> "tuple[Message, list[int]] | None":
    """Return the next message and its fds (close-on-exec), None at the end. Raises OSError, ValueError on nonsense."""
    packet, fds = receive_fds(link)
    if not packet:
        close_all(fds)
        return None
    try:
        body = packet[1:] if packet[:1] == b"J" else read_all(fds.pop(0))
        message = plainjson.loads(body)
    except BaseException:
        close_all(fds)
        raise
    return message, fds


def receive_fds(link: socket.socket) -> tuple[bytes, list[int]]:
    """Return the next packet and its fds (close-on-exec). Raises OSError, ValueError when it was cut off."""
    packet, ancillary, flags, _ = link.recvmsg(2 * INLINE, socket.CMSG_SPACE(4 * (MAX_FDS + 1)), socket.MSG_CMSG_CLOEXEC)
    fds: list[int] = []
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds += struct.unpack(f"{len(data) // 4}i", data[: len(data) // 4 * 4])
    if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
        close_all(fds)
        raise ValueError("a message was cut off")
    return packet, fds


def read_all(fd: int) -> bytes:
    """Return the contents of a memfd and close it."""
    try:
        return os.pread(fd, os.fstat(fd).st_size, 0)
    finally:
        os.close(fd)


def close_all(fds: "Sequence[int]") -> None:
    for fd in fds:
        os.close(fd)


def encode(message: "Message") -> int:
    """Return a sealed memfd that holds the message."""
    return _sealed(plainjson.dumps(message).encode())


def decode(fd: int) -> "Message":
    """Return the message of a memfd and close it. Raises ValueError if it is not sealed: its sender could still change it."""
    if fcntl.fcntl(fd, fcntl.F_GET_SEALS) & _WRITE_SEAL == 0:
        raise ValueError("the request is not sealed")
    message: Message = plainjson.loads(read_all(fd))
    return message


def _sealed(body: bytes) -> int:
    fd = os.memfd_create("argosy", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    view = memoryview(body)
    while view:
        view = view[os.write(fd, view) :]
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
    return fd
