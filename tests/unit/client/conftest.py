"""A scripted daemon: answers with the bytes that the test gave it and remembers what it was asked."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from argosy.client.endpoint import Endpoint


class Scripted:
    """Each connection is served by ``answer(request) → bytes``; None closes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.requests: list[bytes] = []
        self.connections = 0
        self.answer: Callable[[bytes], bytes | None] = lambda _request: reply(b"[]")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(f"unix://{self.path}")

    @property
    def targets(self) -> list[str]:
        return [request.split(b" ")[1].decode() for request in self.requests]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        buffer = b""
        with connection:
            while True:
                request, buffer = _request(connection, buffer)
                if not request:
                    return
                self.requests.append(request)
                answer = self.answer(request)
                if answer is None:
                    return
                connection.sendall(answer)
                if b"101 UPGRADED" in answer:
                    while data := connection.recv(4096):
                        connection.sendall(b"echo:" + data)
                    with suppress(BrokenPipeError):
                        connection.sendall(b"bye")
                    return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def _request(connection: socket.socket, buffer: bytes) -> tuple[bytes, bytes]:
    while b"\r\n\r\n" not in buffer:
        data = connection.recv(65536)
        if not data:
            return b"", b""
        buffer += data
    head, _, rest = buffer.partition(b"\r\n\r\n")
    lowered = head.lower()
    if b"transfer-encoding: chunked" in lowered:
        while not (rest == b"0\r\n\r\n" or rest.endswith(b"\r\n0\r\n\r\n")):
            rest += connection.recv(65536)
        return head + b"\r\n\r\n" + rest, b""
    length = int(lowered.partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
    while len(rest) < length:
        rest += connection.recv(65536)
    return head + b"\r\n\r\n" + rest[:length], rest[length:]


def reply(body: bytes, status: str = "200 OK", version: str = "1.55") -> bytes:
    return f"HTTP/1.1 {status}\r\nApi-Version: {version}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Scripted]:
    scripted = Scripted(tmp_path / "d.sock")
    yield scripted
    scripted.close()
