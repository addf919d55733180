"""``logs=1&stream=1``: the log, then the stream, with nothing lost and nothing twice, however fast the program prints."""

import base64
import os
import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from support.daemon import Daemon

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]

FOR_EVER = "exec seq 1 1000000000"
BOTH = "seq 1 1000000000 >&2 & exec seq 1 1000000000"
SMALL = {"max-size": "256k", "max-file": "2"}


class Attached:
    """A client's end of an attach. ``read`` returns (stream, bytes), the stream 0 where there are no frames."""

    def __init__(self, daemon: Daemon, name: str, words: str = "stdout=1&stderr=1", *, framed: bool = True) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(30)
        self._socket.connect(str(daemon.socket))
        self._framed = framed
        self._rest = b""
        self._request(name, words)
        while b"\r\n\r\n" not in self._rest:
            self._rest += self._some()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head

    def _request(self, name: str, words: str) -> None:
        head = f"POST /v1.51/containers/{name}/attach?logs=1&stream=1&{words} HTTP/1.1\r\nHost: x\r\n"
        self._socket.sendall(f"{head}Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n".encode())

    def _some(self) -> bytes:
        data = self._socket.recv(1 << 20)
        if not data:
            raise EOFError(self._rest[-200:])
        return data

    def exactly(self, size: int) -> bytes:
        """Return the next bytes of the connection."""
        parts = [self._rest]
        have = len(self._rest)
        while have < size:
            parts.append(self._some())
            have += len(parts[-1])
        data = b"".join(parts)
        self._rest = data[size:]
        return data[:size]

    def read(self) -> tuple[int, bytes]:
        if not self._framed:
            data, self._rest = self._rest or self._some(), b""
            return 0, data
        head = self.exactly(8)
        return head[0], self.exactly(int.from_bytes(head[4:], "big"))

    def streams(self, size: int) -> dict[int, bytes]:
        """Return what comes until one stream has as many bytes."""
        found: dict[int, list[bytes]] = {}
        had: dict[int, int] = {}
        while max(had.values(), default=0) < size:
            stream, data = self.read()
            found.setdefault(stream, []).append(data)
            had[stream] = had.get(stream, 0) + len(data)
        return {stream: b"".join(parts) for stream, parts in found.items()}

    def until(self, mark: bytes) -> bytes:
        text = b""
        while mark not in text:
            text += self.read()[1]
        return text

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def close(self) -> None:
        self._socket.close()


class AttachedWebsocket(Attached):
    """RFC 6455, as far as it is needed here."""

    def _request(self, name: str, words: str) -> None:
        head = f"GET /v1.51/containers/{name}/attach/ws?logs=1&stream=1&{words} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(f"{head}Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())

    def read(self) -> tuple[int, bytes]:
        kind, size = self.exactly(2)
        assert kind == 0x82
        if size > 125:
            size = struct.unpack(">H" if size == 126 else ">Q", self.exactly(2 if size == 126 else 8))[0]
        return 0, self.exactly(size)


def unbroken(text: bytes, newline: bytes = b"\n") -> int:
    """Return how many numbers, a line each, follow one another without a gap. Raises AssertionError at the first that does not."""
    whole = text[: text.rindex(newline) + len(newline)]
    lines = whole.split(newline)[:-1]
    first = int(lines[0])
    if whole != b"".join(b"%d%b" % (number, newline) for number in range(first, first + len(lines))):
        for number, line in enumerate(lines, first):
            assert line == b"%d" % number, f"{line!r} in place of {number}, {number - first} lines after the first"
    return len(lines)


def printing(
    daemon: Daemon, name: str, script: str, *, options: dict[str, str] | None = None, driver: str = "json-file", **config: object
) -> str:
    """Start a container that prints; return its name."""
    host = {"LogConfig": {"Type": driver, "Config": options or {}}, "NetworkMode": "none"}
    body = {"Image": "busybox", "Cmd": ["sh", "-c", script], "HostConfig": host} | config
    daemon.api("POST", f"/containers/create?name={name}", body)
    daemon.api("POST", f"/containers/{name}/start")
    return name


@pytest.fixture
def daemon(argosyd: Daemon) -> Iterator[Daemon]:
    yield argosyd
    for view in argosyd.api("GET", "/containers/json"):
        argosyd.api("DELETE", f"/containers/{view['Id']}?force=1")


def test_a_hundred_attaches_to_a_program_that_prints_as_fast_as_it_can(daemon: Daemon) -> None:
    printing(daemon, "fast", FOR_EVER, options=SMALL)
    for _ in range(100):
        client = Attached(daemon, "fast")
        assert unbroken(client.streams(2_000_000)[1]) > 100_000
        client.close()


@pytest.mark.parametrize(
    ("driver", "options"),
    [
        ("json-file", {}),
        ("json-file", {"max-size": "1m"}),
        ("json-file", {"max-size": "512k", "max-file": "4", "compress": "true"}),
        ("local", {}),
        ("local", SMALL),
    ],
    ids=str,
)
def test_both_streams_are_unbroken_however_the_log_rotates(daemon: Daemon, driver: str, options: dict[str, str]) -> None:
    printing(daemon, "both", BOTH, driver=driver, options=options)
    for _ in range(8):
        client = Attached(daemon, "both")
        found = client.streams(6_000_000)
        assert set(found) == {1, 2}
        for text in found.values():
            unbroken(text)
        client.close()


def test_clients_at_the_same_time_are_all_served_exactly(daemon: Daemon) -> None:
    printing(daemon, "many", FOR_EVER, options=SMALL)
    failures: list[BaseException] = []

    def one() -> None:
        try:
            client = Attached(daemon, "many")
            unbroken(client.streams(1_000_000)[1])
            client.close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=one) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_terminals_stream_is_unbroken(daemon: Daemon) -> None:
    printing(daemon, "terminal", FOR_EVER, options=SMALL, Tty=True)
    for _ in range(20):
        client = Attached(daemon, "terminal", framed=False)
        unbroken(client.streams(1_000_000)[0], b"\r\n")
        client.close()


@pytest.mark.parametrize("tty", [False, True])
def test_a_websockets_stream_is_unbroken_and_without_frames(daemon: Daemon, tty: bool) -> None:
    printing(daemon, "web", FOR_EVER, options=SMALL, Tty=tty)
    for _ in range(10):
        client = AttachedWebsocket(daemon, "web")
        unbroken(client.streams(1_000_000)[0], b"\r\n" if tty else b"\n")
        client.close()


def test_one_stream_alone(daemon: Daemon) -> None:
    printing(daemon, "one", BOTH, options=SMALL)
    client = Attached(daemon, "one", "stderr=1")
    found = client.streams(2_000_000)
    assert set(found) == {2}
    unbroken(found[2])
    client.close()


@pytest.mark.parametrize("tty", [False, True])
def test_the_beginning_of_a_line_is_given_once_and_input_comes_after_it(daemon: Daemon, tty: bool) -> None:
    """It is in no record yet."""
    script = "stty -echo 2>/dev/null; echo whole; printf begun; while read word; do printf -- -$word; done"
    printing(daemon, "line", script, OpenStdin=True, Tty=tty)
    first = Attached(daemon, "line", "stdin=1&stdout=1", framed=not tty)
    first.until(b"begun")
    newline = b"\r\n" if tty else b"\n"
    for number in range(3):
        client = Attached(daemon, "line", "stdin=1&stdout=1", framed=not tty)
        before = b"whole" + newline + b"begun" + b"".join(b"-w%d" % earlier for earlier in range(number))
        assert client.until(before) == before
        client.send(b"w%d\n" % number)
        assert client.until(b"-w%d" % number) == b"-w%d" % number
        client.close()
    first.close()


def test_the_log_of_an_ended_program_and_the_output_of_the_next_run(daemon: Daemon) -> None:
    printing(daemon, "twice", "n=$(cat /n 2>/dev/null || echo 0); echo $((n + 1)) >/n; cat /n", OpenStdin=True)
    assert daemon.api("POST", "/containers/twice/wait")["StatusCode"] == 0
    client = Attached(daemon, "twice")
    assert client.until(b"1\n") == b"1\n"
    daemon.api("POST", "/containers/twice/start")
    assert client.until(b"2\n") == b"2\n"
    client.close()
