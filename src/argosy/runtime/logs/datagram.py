"""A datagram socket that a stalled receiver cannot hold up for long."""

import _socket as socket
import os
import select

_PATIENCE_MS = 2000


class Datagrams:
    """Sends records to a unix datagram socket, reconnecting when the receiver was restarted."""

    def __init__(self, address: "str | tuple[str, int]", family: int = socket.AF_UNIX, kind: int = socket.SOCK_DGRAM) -> None:
        self._address, self._family, self._kind = address, family, kind
        self._socket = self._connect()
        self.lost = 0

    def send(self, record: bytes) -> None:
        """Send one record; after two seconds of a full queue, or without a receiver, it is counted as lost."""
        for attempt in (1, 2):
            try:
                self._send(record)
                return
            except OSError:
                if attempt == 2:
                    self.lost += 1
                    return
                self._again()

    def close(self) -> None:
        self._socket.close()

    def _connect(self) -> socket.socket:
        link = socket.socket(self._family, self._kind | socket.SOCK_CLOEXEC)
        try:
            link.settimeout(_PATIENCE_MS / 1000)
            link.connect(self._address)
            link.setblocking(False)
        except BaseException:
            link.close()
            raise
        return link

    def _again(self) -> None:
        try:
            fresh = self._connect()
        except OSError:
            return
        self._socket.close()
        self._socket = fresh

    def _send(self, record: bytes) -> None:
        while record:
            try:
                sent = self._socket.send(record, socket.MSG_NOSIGNAL)
            except BlockingIOError:
                self._wait()
                continue
            record = record[sent:] if self._kind == socket.SOCK_STREAM else b""

    def _wait(self) -> None:
        poll = select.poll()
        poll.register(self._socket.fileno(), select.POLLOUT)
        if not poll.poll(_PATIENCE_MS):
            raise TimeoutError(os.strerror(110))
