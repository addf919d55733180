"""Messages between daemon, launcher, shim and worker: one JSON object with fds, a packet each (unix(7), SOCK_SEQPACKET).

A packet begins with ``J`` and holds the JSON itself, or is ``M`` and its first fd is a sealed memfd with the JSON: SEQPACKET
refuses packets that do not fit the socket's buffer, and a configuration can be of any size.
"""

import array
import fcntl
import json
import os
import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Message = dict[str, Any]

VERSION = 1
"""Of the protocol. A shim answers with its own in ``hello``; a newer daemon speaks the older one's."""

INLINE = 16 * 1024
MAX_FDS = 250
_SEALS = 0xF  # F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE
_WRITE_SEAL = 0x8


def pack(message: "Message") -> tuple[bytes, int]:
    """Return (packet, memfd or -1); the caller closes the memfd after sending it as the first fd."""
    body = json.dumps(message, separators=(",", ":")).encode()
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
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    link.sendmsg([packet], rights, socket.MSG_NOSIGNAL)


def receive(link: socket.socket) -> "tuple[Message, list[int]] | None":
    """Return the next message and its fds (close-on-exec), None at the end. Raises OSError, ValueError on nonsense."""
    packet, ancillary, flags, _ = link.recvmsg(2 * INLINE, socket.CMSG_SPACE(4 * (MAX_FDS + 1)), socket.MSG_CMSG_CLOEXEC)
    fds = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
    received = list(fds)
    if not packet:
        close_all(received)
        return None
    try:
        if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
            raise ValueError("a message was cut off")
        body = packet[1:] if packet[:1] == b"J" else read_all(received.pop(0))
        message = json.loads(body)
    except BaseException:
        close_all(received)
        raise
    return message, received


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
    return _sealed(json.dumps(message, separators=(",", ":")).encode())


def decode(fd: int) -> "Message":
    """Return the message of a memfd and close it. Raises ValueError if it is not sealed: its sender could still change it."""
    if fcntl.fcntl(fd, fcntl.F_GET_SEALS) & _WRITE_SEAL == 0:
        raise ValueError("the request is not sealed")
    message: Message = json.loads(read_all(fd))
    return message


def _sealed(body: bytes) -> int:
    fd = os.memfd_create("argosy", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    view = memoryview(body)
    while view:
        view = view[os.write(fd, view) :]
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
    return fd
