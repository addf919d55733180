"""BuildKit's connections with clients that do not keep to the protocol: each hears why, or is cut off, and the daemon goes on."""

import os
import socket
import struct

import h2.config
import h2.connection
import h2.events
import pytest

from support.daemon import Daemon
from support.remains import settled

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("leak_check")]

LIST_WORKERS = "/moby.buildkit.v1.Control/ListWorkers"


class Grpc:
    """A client with HTTP/2 and nothing else."""

    def __init__(self, daemon: Daemon) -> None:
        self.sock = upgraded(daemon, "grpc")
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self.h2.initiate_connection()
        self._flush()

    def _flush(self) -> None:
        self.sock.sendall(self.h2.data_to_send())

    def call(self, path: str, data: bytes, **headers: str) -> tuple[str, str]:
        """Return (grpc-status, grpc-message)."""
        stream = self.h2.get_next_available_stream_id()
        fixed = {
            ":method": "POST",
            ":path": path,
            ":scheme": "http",
            ":authority": "x",
            "te": "trailers",
            "content-type": "application/grpc",
        }
        self.h2.send_headers(stream, list((fixed | headers).items()))
        self.h2.send_data(stream, data, end_stream=True)
        self._flush()
        found: dict[str, str] = {}
        while True:
            for event in self.h2.receive_data(self.sock.recv(65536)):
                if isinstance(event, h2.events.ResponseReceived | h2.events.TrailersReceived):
                    found |= dict(event.headers)
                if isinstance(event, h2.events.StreamEnded | h2.events.StreamReset | h2.events.ConnectionTerminated):
                    self._flush()
                    return found.get("grpc-status", ""), found.get("grpc-message", "")
            self._flush()


def upgraded(daemon: Daemon, route: str, *headers: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(20)
    sock.connect(daemon.host.removeprefix("unix://"))
    lines = [f"POST /{route} HTTP/1.1", "Host: x", "Content-Length: 0", "Connection: Upgrade", "Upgrade: h2c", *headers, "", ""]
    sock.sendall("\r\n".join(lines).encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += sock.recv(1)
    assert answer.startswith(b"HTTP/1.1 101 "), answer
    return sock


def message(data: bytes, length: int | None = None) -> bytes:
    return struct.pack(">BI", 0, len(data) if length is None else length) + data


def open_files(daemon: Daemon) -> int:
    return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))


def works(daemon: Daemon) -> None:
    client = Grpc(daemon)
    assert client.call(LIST_WORKERS, message(b""))[0] == "0"
    client.sock.close()
    assert daemon.api("GET", "/_ping") == b"OK"


def test_calls_that_cannot_be_answered_are_answered_so(argosyd: Daemon) -> None:
    client = Grpc(argosyd)
    assert client.call("/moby.buildkit.v1.Control/Nope", message(b""))[0] == "12"
    status, words = client.call(LIST_WORKERS, message(b"\xff\xff\xff"))
    assert status == "3" and "cannot read the message" in words
    assert client.call(LIST_WORKERS, b"") == ("3", "the request has no message")
    status, words = client.call(LIST_WORKERS, message(b"x", 1 << 31))
    assert status == "8" and "received message larger than max (2147483648 vs. 16777216)" in words
    # A job that nobody has begun is waited for, for a while.
    status, words = client.call("/moby.buildkit.v1.frontend.LLBBridge/Return", message(b""), **{"buildkit-controlapi-buildid": "x"})
    assert status == "14" and "no such job x" in words
    assert client.call(LIST_WORKERS, message(b""))[0] == "0"
    client.sock.close()
    works(argosyd)


def test_what_is_no_http2_ends_the_connection(argosyd: Daemon) -> None:
    # Another protocol, and a frame of data that belongs to no stream (RFC 9113, 6.1).
    for data in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 1, 0, 0, 0, 0, 0, 0, 0))):
        sock = upgraded(argosyd, "grpc")
        sock.sendall(data)
        with sock:
            while sock.recv(4096):
                pass
    works(argosyd)


def test_sessions_that_are_begun_and_left(argosyd: Daemon) -> None:
    before = open_files(argosyd)
    for number in range(20):
        upgraded(argosyd, "session", f"X-Docker-Expose-Session-Uuid: s{number}").close()
    half = upgraded(
        argosyd, "session", "X-Docker-Expose-Session-Uuid: half", "X-Docker-Expose-Session-Grpc-Method: /moby.filesync.v1.FileSync/DiffCopy"
    )
    half.shutdown(socket.SHUT_WR)
    client = Grpc(argosyd)
    # Fields: ref, session, frontend.
    request = b"\n\x03ref*\x04half2\rdockerfile.v0"
    assert client.call("/moby.buildkit.v1.Control/Solve", message(request))[0] not in ("0", "")
    client.sock.close()
    half.close()
    assert settled(lambda: open_files(argosyd) <= before, True)
    works(argosyd)
