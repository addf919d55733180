"""The protocol between argosyd and netd: JSON with a length in front, descriptors beside it (SCM_RIGHTS, unix(7)).

A stream, because a SOCK_SEQPACKET message may not be larger than the send buffer. Descriptors travel with the first bytes of
their message, in order, so the receiver hands each message the next ``count`` of those that came.
"""

import array
import json
import os
import socket
import struct

VERSION = 1

_HEAD = struct.Struct("!II")
_MAXIMUM = 64 << 20
_MOST_FDS = 64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def encode(value: object, descriptors: int) -> bytes:
    body = json.dumps(value, separators=(",", ":")).encode()
    return _HEAD.pack(len(body), descriptors) + body


class Receiver:
    """Puts messages together from what `recvmsg` returns."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._fds: list[int] = []

    def close(self) -> None:
        for fd in self._fds:
            os.close(fd)
        self._fds.clear()

    def read(self, sock: socket.socket) -> "list[tuple[Any, list[int]]] | None":
        """Read once; return the messages that are complete, None at the end of the stream. Raises BlockingIOError, OSError."""
        size = array.array("i").itemsize
        data, ancillary, _, _ = sock.recvmsg(1 << 16, socket.CMSG_SPACE(_MOST_FDS * size), socket.MSG_CMSG_CLOEXEC)
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                found = array.array("i")
                found.frombytes(payload[: len(payload) - len(payload) % size])
                self._fds.extend(found)
        if not data:
            return None
        self._data += data
        return list(self._messages())

    def _messages(self) -> "Iterable[tuple[Any, list[int]]]":
        while len(self._data) >= _HEAD.size:
            length, count = _HEAD.unpack_from(self._data)
            if length > _MAXIMUM:
                raise OSError("message is too long")
            end = _HEAD.size + length
            if len(self._data) < end or len(self._fds) < count:
                return
            body = bytes(self._data[_HEAD.size : end])
            del self._data[:end]
            fds, self._fds = self._fds[:count], self._fds[count:]
            yield json.loads(body), fds


def rights(descriptors: "Iterable[int]") -> "list[tuple[int, int, array.array[int]]]":
    """Return the ancillary data that carries these descriptors."""
    fds = array.array("i", descriptors)
    return [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)] if fds else []


def reach(directory: int, name: str) -> str:
    """Return a path to ``name`` in an open directory that fits in sun_path's 108 bytes however deep the directory lies."""
    return f"/proc/self/fd/{directory}/{name}"
