"""A minimal HTTP/1.1 client on a unix socket: the same small cost for every engine, so that the engine's is seen."""

import json
import socket
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

VERSION = "/v1.41"
CHUNK = 1 << 18


class Answer:
    """Status, headers and body of one answer; ``size`` counts the body's bytes also where they were thrown away."""

    def __init__(self, status: int, headers: dict[bytes, bytes]) -> None:
        self.status = status
        self.headers = headers
        self.body = b""
        self.size = 0

    def expect(self, *statuses: int) -> "Answer":
        """Return itself. Raises RuntimeError when the status is none of these (by default: not a success)."""
        if self.status not in statuses and (statuses or self.status >= 300):
            raise RuntimeError(f"HTTP {self.status}: {self.body[:300]!r}")
        return self

    def json(self) -> Any:
        """Return the decoded body, None when there is none."""
        return json.loads(self.body) if self.body.strip() else None


class Wire:
    """One keep-alive connection."""

    def __init__(self, path: str, timeout: float = 600) -> None:
        self.path = path
        self.timeout = timeout
        self.buffer = b""
        self.socket: socket.socket | None = None

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self.socket:
            self.socket.close()
            self.socket = None

    def open(self) -> socket.socket:
        """Return the socket, connected."""
        if self.socket is None:
            self.buffer = b""
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(self.timeout)
            self.socket.connect(self.path)
        return self.socket

    def request(
        self,
        method: str,
        route: str,
        body: object = None,
        *,
        kind: str = "application/json",
        size: int = 0,
        keep: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request and read its whole answer. ``body``: bytes, a file with its ``size``, or what becomes JSON."""
        data: bytes | None = (
            None if body is None or hasattr(body, "read") else body if isinstance(body, bytes) else json.dumps(body).encode()
        )
        length = size if data is None else len(data)
        head = f"{method} {VERSION}{route} HTTP/1.1\r\nHost: engine\r\nContent-Length: {length}\r\n"
        head += f"Content-Type: {kind}\r\n" if body is not None else ""
        head += "".join(f"{key}: {value}\r\n" for key, value in (headers or {}).items())
        for attempt in (1, 2):
            stale = self.socket is not None
            stream = self.open()
            try:
                stream.sendall((head + "\r\n").encode() + (data or b""))
                if data is None and body is not None:
                    self._send_file(stream, body)  # type: ignore[arg-type]
                answer = self._head()
                break
            except ConnectionError:
                # A connection that was idle may have been closed meanwhile: once more on a new one.
                self.close()
                if not stale or attempt == 2:
                    raise
        kept: list[bytes] = []
        if method != "HEAD" and answer.status not in (204, 304):
            for piece in self._pieces(answer.headers):
                answer.size += len(piece)
                if keep:
                    kept.append(piece)
        answer.body = b"".join(kept)
        if answer.headers.get(b"connection", b"").lower() == b"close":
            self.close()
        return answer

    def hijack(self, route: str, body: object = None) -> tuple[socket.socket, bytes]:
        """Upgrade a new connection to a raw stream; return its socket, which the caller closes, and what was read already."""
        data = b"" if body is None else json.dumps(body).encode()
        other = Wire(self.path, self.timeout)
        stream = other.open()
        head = f"POST {VERSION}{route} HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
        stream.sendall((head + f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n").encode() + data)
        answer = other._head()
        if answer.status not in (101, 200):
            raise RuntimeError(f"{route}: HTTP {answer.status} {other.buffer[:300]!r}")
        return stream, other.buffer

    @staticmethod
    def _send_file(stream: socket.socket, file: BinaryIO) -> None:
        file.seek(0)
        stream.sendfile(file)

    def _fill(self) -> None:
        assert self.socket
        data = self.socket.recv(CHUNK)
        if not data:
            raise ConnectionError("the engine closed the connection")
        self.buffer += data

    def _line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            self._fill()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line

    def _head(self) -> Answer:
        status = int(self._line().split(b" ", 2)[1])
        headers: dict[bytes, bytes] = {}
        while line := self._line():
            name, _, value = line.partition(b":")
            headers[name.strip().lower()] = value.strip()
        return Answer(status, headers)

    def _exactly(self, count: int) -> Iterator[bytes]:
        while count:
            if not self.buffer:
                self._fill()
            piece, self.buffer = self.buffer[:count], self.buffer[count:]
            count -= len(piece)
            yield piece

    def _pieces(self, headers: dict[bytes, bytes]) -> Iterator[bytes]:
        if headers.get(b"transfer-encoding") == b"chunked":
            while size := int(self._line().split(b";")[0], 16):
                yield from self._exactly(size)
                self._line()
            self._line()
        elif b"content-length" in headers:
            yield from self._exactly(int(headers[b"content-length"]))
        else:
            if self.buffer:
                yield self.buffer
                self.buffer = b""
            assert self.socket
            while data := self.socket.recv(CHUNK):
                yield data
            self.close()
