"""The socket between a child and the process that made it: when to go on, and how it ended.

Messages (SOCK_SEQPACKET, one each). Parent → ``m`` maps written, ``j`` admitted to the cgroups, ``h`` hooks run, ``g`` go. Child →
``M`` mounted, ``P`` prepared (the terminal's master rides on it), ``W`` a warning, ``E`` errno NUL stage NUL text. The end of
the stream after ``g`` says that execve succeeded, because the socket is close-on-exec.
"""

import _socket
import os

MAPPED, ADMITTED, HOOKED, GO = b"m", b"j", b"h", b"g"
PREPARED, WARNING, ERROR, MOUNTED = b"P", b"W", b"E", b"M"
_LARGEST = 65536


class ParentGone(Exception):
    """The parent died before it said what this step waits for."""


class Gate:
    """The child's end.

    With ``listener`` the last word comes from whoever connects to it later (``argosy-runtime start``), long after the
    parent has gone; that connection takes the place of the parent's socket.
    """

    __slots__ = ("_listener", "_socket")

    def __init__(self, socket: "_socket.socket", listener: "_socket.socket | None" = None) -> None:
        self._socket = socket
        self._listener = listener

    def filenos(self) -> "list[int]":
        """Return the fds to keep open."""
        return [self._socket.fileno()] if self._listener is None else [self._socket.fileno(), self._listener.fileno()]

    def wait(self, wanted: bytes) -> None:
        """Return when the parent said ``wanted``. Raises ParentGone at the end of the stream."""
        if wanted == GO and self._listener is not None:
            self._accept(self._listener)
        while (word := self._socket.recv(8)) != wanted:
            if not word:
                raise ParentGone

    def _accept(self, listener: "_socket.socket") -> None:
        self._socket.close()
        fd, _ = listener._accept()  # type: ignore[attr-defined]  # what socket.accept wraps
        self._socket = _socket.socket(fileno=fd)
        listener.close()
        self._listener = None

    def orphaned(self) -> bool:
        """Return whether the parent is gone."""
        try:
            return not self._socket.recv(1, _socket.MSG_PEEK | _socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False

    def ask_for_hooks(self) -> None:
        """Tell that all is mounted and nothing pivoted, and wait until the parent has run its hooks."""
        self._socket.send(MOUNTED)
        self.wait(HOOKED)

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
        # Said once, before what is still to be read, by a child that ended with a word of ours unread (net/unix).
        data, ancillary, _, _ = socket.recvmsg(_LARGEST, _socket.CMSG_SPACE(4), _socket.MSG_CMSG_CLOEXEC)
    fd = -1
    for level, kind, payload in ancillary:
        if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
            fd = int.from_bytes(payload[:4], "little")
    return data, fd


def parse_error(data: bytes) -> tuple[int, str, str]:
    """Return (errno, stage, message) of an ``E`` message."""
    number, stage, message = data[1:].split(b"\0", 2)
    return int(number), stage.decode(), os.fsdecode(message)
