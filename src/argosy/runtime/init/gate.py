"""The socket between a child and the process that made it: when to go on, and how it ended.

Messages (SOCK_SEQPACKET, one each): parent → ``m`` maps written, ``j`` cgroups joined, ``g`` go; child → ``P`` prepared (the
terminal's master rides on it), ``W`` a warning, ``E`` errno NUL stage NUL text. The end of the stream after ``g`` says
that execve succeeded, because the socket is close-on-exec.
"""

import _socket
import os

MAPPED, JOINED, GO = b"m", b"j", b"g"
PREPARED, WARNING, ERROR = b"P", b"W", b"E"
_LARGEST = 65536


class ParentGone(Exception):
    """The parent died before it said what this step waits for."""


class Gate:
    """The child's end."""

    __slots__ = ("_socket",)

    def __init__(self, socket: "_socket.socket") -> None:
        self._socket = socket

    def fileno(self) -> int:
        return self._socket.fileno()

    def wait(self, wanted: bytes) -> None:
        """Return when the parent said ``wanted``. Raises ParentGone at the end of the stream."""
        while (word := self._socket.recv(8)) != wanted:
            if not word:
                raise ParentGone

    def prepared(self, master: int = -1) -> None:
        """Tell that only the gate is left, and hand the terminal's master side over."""
        ancillary = [] if master < 0 else [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, master.to_bytes(4, "little"))]
        self._socket.sendmsg([PREPARED], ancillary)

    def warn(self, text: str) -> None:
        self._socket.send(WARNING + text.encode("utf-8", "surrogateescape")[: _LARGEST - 1])

    def fail(self, number: int, stage: str, message: str) -> None:
        """Tell why it ends; a parent that is gone does not matter."""
        text = b"%s%d\0%s\0%s" % (ERROR, number, stage.encode(), message.encode("utf-8", "surrogateescape")[:4096])
        try:
            self._socket.send(text)
        except OSError:
            pass

    def close(self) -> None:
        self._socket.close()


def pair() -> "tuple[_socket.socket, _socket.socket]":
    """Return (parent's end, child's end), both close-on-exec."""
    ends = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET | _socket.SOCK_CLOEXEC)
    return ends[0], ends[1]


def receive(socket: "_socket.socket") -> tuple[bytes, int]:
    """Return one message and the fd that came with it (-1: none); an empty message is the end."""
    try:
        data, ancillary, _, _ = socket.recvmsg(_LARGEST, _socket.CMSG_SPACE(4), _socket.MSG_CMSG_CLOEXEC)
    except ConnectionResetError:
        return b"", -1
    fd = -1
    for level, kind, payload in ancillary:
        if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
            fd = int.from_bytes(payload[:4], "little")
    return data, fd


def parse_error(data: bytes) -> tuple[int, str, str]:
    """Return (errno, stage, message) of an ``E`` message."""
    number, stage, message = data[1:].split(b"\0", 2)
    return int(number), stage.decode(), os.fsdecode(message)
