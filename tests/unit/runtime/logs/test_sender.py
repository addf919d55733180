"""What log servers get: syslog, gelf and fluentd spoken to little servers, and what happens while nobody takes it."""

import json
import os
import socket
import ssl
import subprocess
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from argosy.runtime.logs import sender
from argosy.runtime.logs.gelf import Gelf, chunks
from argosy.runtime.logs.local import frame
from argosy.runtime.logs.msgpack import acknowledged
from argosy.runtime.logs.sender import Sender, lines_of, make

ABOUT = {"argosy.id": "ab" * 32, "argosy.name": "web", "argosy.image": "httpd", "argosy.command": "sh -c x", "argosy.created": "then"}
NOON = 1_700_000_000_123_456_789
ONE_TWO = frame(1, 0, NOON, b"one\ntwo\n")


class Server:
    """A stream server that keeps what it gets; ``answer``: what it says to each piece; ``refuse``: connections it closes at once."""

    def __init__(self, answer: Any = None, refuse: int = 0, wrap: Any = None) -> None:
        self.got = b""
        self.connections = 0
        self._answer, self._refuse, self._wrap = answer, refuse, wrap
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.place = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.connections <= self._refuse:
                link.close()
                continue
            try:
                self._read(self._wrap(link) if self._wrap else link)
            except OSError:
                continue  # a client that does not trust it

    def _read(self, link: socket.socket) -> None:
        with link:
            while data := link.recv(65536):
                self.got += data
                if self._answer:
                    link.sendall(self._answer(data))
        self._ended.set()

    def all(self) -> bytes:
        """Return everything, when the sender has closed its connection."""
        assert self._ended.wait(20)
        return self.got

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(20)


@pytest.fixture
def servers() -> Iterator[Any]:
    made: list[Server] = []

    def start(**options: Any) -> Server:
        made.append(Server(**options))
        return made[-1]

    yield start
    for server in made:
        server.close()


@pytest.fixture
def datagrams() -> Iterator[tuple[socket.socket, str]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(20)
        yield receiver, f"127.0.0.1:{receiver.getsockname()[1]}"


def send(driver: str, options: dict[str, str], data: bytes, attributes: dict[str, str] | None = None) -> None:
    """Let a sender send these frames and end."""
    read, write = os.pipe()
    try:
        os.write(write, data)
        os.close(write)
        Sender(read, make({"driver": driver, "options": {**ABOUT, **options}, "attributes": attributes or {}})).run()
    finally:
        os.close(read)


def events(data: bytes) -> list[Any]:
    """Return the MessagePack values that follow one another."""
    found, start = [], 0
    for end in range(1, len(data) + 1):
        try:
            found.append(msgspec.msgpack.decode(data[start:end]))
        except msgspec.DecodeError:
            continue
        start = end
    assert start == len(data)
    return found


def test_frames_are_read_whole_and_lines_have_consecutive_times() -> None:
    data = ONE_TWO + frame(2, 1, NOON, b"part")
    lines, rest = lines_of(data + ONE_TWO[:-1])
    assert lines == [(1, False, NOON, b"one"), (1, False, NOON + 1, b"two"), (2, True, NOON, b"part")]
    assert rest == ONE_TWO[:-1]


@pytest.mark.parametrize(("form", "host"), [("", False), ("rfc3164", True), ("rfc5424", True), ("rfc5424micro", True)])
def test_syslog_over_udp(datagrams: Any, form: str, host: bool) -> None:
    receiver, place = datagrams
    options = {"syslog-address": f"udp://{place}", "syslog-format": form, "syslog-facility": "local3"}
    send("syslog", options, ONE_TWO + frame(2, 0, NOON, b"\nbad\n"))
    got = [receiver.recv(4096) for _ in range(3)]
    assert [message[: message.index(b">") + 1] for message in got] == [b"<158>", b"<158>", b"<155>"]
    assert [message[-4:] for message in got] == [b"one\n", b"two\n", b"bad\n"]
    assert all(b" abababababab" in message for message in got)
    assert all((os.uname().nodename.encode() + b" " in message) is host for message in got)


def test_syslog_over_tcp_is_one_line_a_message(servers: Any) -> None:
    server = servers()
    send("syslog", {"syslog-address": f"tcp://{server.place}", "tag": "t"}, ONE_TWO)
    assert [line.rpartition(b": ")[2] for line in server.all().split(b"\n")] == [b"one", b"two", b""]


def test_syslog_over_tls_checks_the_server_and_counts_octets(servers: Any, tmp_path: Path) -> None:
    key, cert = str(tmp_path / "key"), str(tmp_path / "cert")
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-keyout", key, "-out", cert, *names], check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server = servers(wrap=lambda link: context.wrap_socket(link, server_side=True))
    options = {"syslog-address": f"tcp+tls://{server.place}", "syslog-format": "rfc5424", "syslog-tls-ca-cert": cert}
    send("syslog", options, ONE_TWO)
    count, _, rest = server.all().partition(b" ")
    assert rest[: int(count)].endswith(b" - one\n")
    with pytest.raises(OSError, match="certificate verify failed"):
        make({"driver": "syslog", "options": {"syslog-address": options["syslog-address"]}}).check()


def test_a_syslog_server_that_was_restarted_gets_what_follows(servers: Any) -> None:
    server = servers(refuse=1)
    driver: Any = make({"driver": "syslog", "options": {"syslog-address": f"tcp://{server.place}"}})
    driver.check()
    while not driver._link.gone():
        """The server closes the first connection in its own time."""
    driver.deliver(b"two\n")
    driver.close()
    assert server.all() == b"two\n"
    assert [driver.retry(attempt) for attempt in (1, 2)] == [0, None]


@pytest.mark.parametrize(("kind", "window"), [("none", 0), ("gzip", 31), ("zlib", 15)])
def test_gelf_over_udp(datagrams: Any, kind: str, window: int) -> None:
    receiver, place = datagrams
    send("gelf", {"gelf-address": f"udp://{place}", "gelf-compression-type": kind}, ONE_TWO + frame(2, 0, NOON, b"\n\xffx\n"), {"lab": "L"})
    got = [receiver.recv(4096) for _ in range(3)]
    found = [json.loads(zlib.decompress(message, window) if window else message) for message in got]
    assert [message["short_message"] for message in found] == ["one", "two", "\ufffdx"]
    assert [message["level"] for message in found] == [6, 6, 3]
    assert found[0]["timestamp"] == 1_700_000_000.123
    assert found[0]["version"] == "1.1" and found[0]["host"] == os.uname().nodename
    extra = {key: value for key, value in found[0].items() if key.startswith("_")}
    assert extra == {
        "_command": "sh -c x",
        "_container_id": "ab" * 32,
        "_container_name": "web",
        "_created": "then",
        "_image_id": "",
        "_image_name": "httpd",
        "_lab": "L",
        "_tag": "ab" * 6,
    }


def test_a_long_gelf_message_comes_in_chunks() -> None:
    message = os.urandom(5000)
    found = chunks(message, b"identity")
    assert [part[:12] for part in found] == [b"\x1e\x0fidentity" + bytes((number, 4)) for number in range(4)]
    assert b"".join(part[12:] for part in found) == message
    assert max(map(len, found)) <= 1420
    assert chunks(bytes(1 << 20), b"identity") == []


def test_gelf_over_tcp_ends_each_message_with_a_zero(servers: Any) -> None:
    server = servers()
    send("gelf", {"gelf-address": f"tcp://{server.place}"}, ONE_TWO)
    assert [json.loads(part)["short_message"] for part in server.all().split(b"\0")[:-1]] == ["one", "two"]


def test_gelf_tries_tcp_as_often_as_it_is_told() -> None:
    driver = Gelf({"gelf-address": "tcp://127.0.0.1:1", "gelf-tcp-max-reconnect": "2", "gelf-tcp-reconnect-delay": "5"}, {})
    assert [driver.retry(attempt) for attempt in (1, 2, 3)] == [5.0, 5.0, None]


def test_fluentd_events(servers: Any) -> None:
    server = servers()
    send("fluentd", {"fluentd-address": server.place, "tag": "docker.web"}, ONE_TWO + frame(2, 0, NOON, b"\n"), {"lab": "L"})
    constant = {"container_id": "ab" * 32, "container_name": "/web", "lab": "L"}
    assert events(server.all()) == [
        ["docker.web", NOON // 10**9, constant | {"source": source, "log": text}, {}]
        for source, text in (("stdout", "one"), ("stdout", "two"), ("stderr", ""))
    ]


def test_pieces_of_a_long_line_can_be_put_together(servers: Any) -> None:
    server = servers()
    data = frame(1, 1, NOON, b"a" * 16384) + frame(1, 1, NOON, b"b" * 16384) + frame(1, 0, NOON, b"rest\nnext\n")
    send("fluentd", {"fluentd-address": server.place, "fluentd-sub-second-precision": "1"}, data)
    found = events(server.all())
    assert [event[1].data for event in found[:2]] == [(NOON // 10**9).to_bytes(4, "big") + (NOON % 10**9).to_bytes(4, "big")] * 2
    parts = [{key: value for key, value in event[2].items() if key.startswith("partial_")} for event in found]
    assert len({part["partial_id"] for part in parts[:3]}) == 1
    assert [(part["partial_ordinal"], part["partial_last"]) for part in parts[:3]] == [("1", "false"), ("2", "false"), ("3", "true")]
    assert parts[3] == {}


def test_fluentd_sends_again_what_was_not_acknowledged(servers: Any) -> None:
    answers: list[bytes] = []

    def answer(data: bytes) -> bytes:
        chunk = events(data)[0][3]["chunk"]
        answers.append(chunk)
        # The first one is told of an event that it did not send.
        return msgspec.msgpack.encode({"ack": chunk if len(answers) > 1 else "other"})

    server = servers(answer=answer)
    send("fluentd", {"fluentd-address": server.place, "fluentd-request-ack": "true", "fluentd-retry-wait": "1ms"}, ONE_TWO)
    server.all()
    assert [event[2]["log"] for event in events(server.got)] == ["one", "one", "two"]
    assert server.connections == 2


def test_acknowledgements_may_come_in_pieces() -> None:
    whole = msgspec.msgpack.encode({"ack": "c" * 40})
    assert [acknowledged(whole[:size]) for size in range(len(whole))] == [None] * len(whole)
    assert acknowledged(whole) == b"c" * 40
    with pytest.raises(ValueError, match="not an acknowledgement"):
        acknowledged(b"\x80\x80\x80\x80\x80\x80\x80")


def test_fluentd_waits_longer_each_time() -> None:
    driver = make({"driver": "fluentd", "options": {"fluentd-retry-wait": "1s", "fluentd-max-retries": "4"}})
    assert [driver.retry(attempt) for attempt in range(1, 6)] == [1.0, 1.5, 2.25, 3.375, None]


def test_a_sender_without_server_ends_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "END_SECONDS", 0.05)
    send("fluentd", {"fluentd-address": "127.0.0.1:1", "fluentd-retry-wait": "1ms"}, ONE_TWO)


def test_whether_the_server_is_there_is_told_in_dockers_words() -> None:
    refused = "dial tcp 127.0.0.1:1: connect: connection refused"
    for driver, options, words in (
        ("fluentd", {"fluentd-address": "127.0.0.1:1"}, refused),
        ("gelf", {"gelf-address": "tcp://127.0.0.1:1"}, f"gelf: cannot connect to GELF endpoint: 127.0.0.1:1 {refused}"),
        ("syslog", {"syslog-address": "tcp://127.0.0.1:1"}, refused),
    ):
        with pytest.raises(OSError) as caught:
            make({"driver": driver, "options": options}).check()
        assert str(caught.value) == words
    make({"driver": "fluentd", "options": {"fluentd-address": "127.0.0.1:1", "fluentd-async": "true"}}).check()
