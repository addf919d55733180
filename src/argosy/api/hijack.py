"""How a connection leaves HTTP: a plain socket is handed over as it is, TLS and websockets through a pair of sockets."""

import asyncio
import socket

from argosy.api.answer import STANDARD
from argosy.api.request import Request

RAW = "application/vnd.docker.raw-stream"
MULTIPLEXED = "application/vnd.docker.multiplexed-stream"


def stream_type(version: int, *, multiplexed: bool) -> str:
    """Return the content type of a stdio stream; clients before 1.42 know only the raw one."""
    return MULTIPLEXED if multiplexed and version >= 42 else RAW


class SocketHijack:
    """`argosy.api.ports.Hijacked` for HTTP over unix sockets, TCP and TLS."""

    def __init__(self, request: Request) -> None:
        self._request = request

    async def take(self, *, multiplexed: bool) -> tuple[int, bytes]:
        connection = self._request.connection
        head = self._head(stream_type(self._request.version, multiplexed=multiplexed))
        if connection.ssl_context is None:
            return await connection.take_socket(head)
        transport, early = await connection.leave(head)
        return await _pumped(transport), early

    def _head(self, content_type: str) -> bytes:
        """moby ``postContainersAttach``: clients that ask for an upgrade get one, older ones a 200 without an end."""
        if "Upgrade" in self._request.headers:
            first, last = b"HTTP/1.1 101 UPGRADED\r\n", b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
        else:
            first, last = b"HTTP/1.1 200 OK\r\n", b"\r\n"
        return first + f"Content-Type: {content_type}\r\n".encode() + STANDARD + last


async def _pumped(client: asyncio.Transport) -> int:
    """Carry bytes between the client's transport and a new pair of sockets; return the far end's descriptor."""
    near, far = socket.socketpair()
    near.setblocking(False)
    far.setblocking(False)
    transport, _ = await asyncio.get_running_loop().connect_accepted_socket(lambda: _Pump(client), near)
    client.set_protocol(_Pump(transport))
    client.resume_reading()
    return far.detach()


class _Pump(asyncio.Protocol):
    """What arrives goes to ``sink``; the end of input is passed on as a half-close where the sink can express one."""

    def __init__(self, sink: asyncio.Transport) -> None:
        self._sink = sink

    def data_received(self, data: bytes) -> None:
        if not self._sink.is_closing():
            self._sink.write(data)

    def eof_received(self) -> bool:
        if self._sink.can_write_eof():
            self._sink.write_eof()
            return True
        self._sink.close()
        return False

    def pause_writing(self) -> None:
        # Our own side is full, so the side that feeds it has to wait.
        self._sink.pause_reading()

    def resume_writing(self) -> None:
        self._sink.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._sink.close()
