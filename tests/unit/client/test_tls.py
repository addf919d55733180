"""TLS, and ssh in the form of a program called so."""

import ssl
import threading
from pathlib import Path

import pytest
import trustme

from argosy.client import system
from argosy.client.endpoint import Endpoint, Tls
from argosy.client.errors import ConnectionFailedError
from argosy.client.sync import Client


class Certificates:
    def __init__(self, directory: Path) -> None:
        authority = trustme.CA()
        self.server = authority.issue_cert("localhost", "127.0.0.1")
        client = authority.issue_cert("client@example.org")
        self.authority = authority
        self.ca, self.cert, self.key = (str(directory / f"{name}.pem") for name in ("ca", "cert", "key"))
        authority.cert_pem.write_to_path(self.ca)
        client.cert_chain_pems[0].write_to_path(self.cert)
        client.private_key_pem.write_to_path(self.key)


@pytest.fixture
def secured(tmp_path: Path):
    """A TLS server that wants a certificate of its clients and answers one request each."""
    import socket

    files = Certificates(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    files.server.configure_cert(context)
    files.authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as connection:
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n" + b'{"Name":"safe"}')
            except OSError:
                continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield files, listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_a_daemon_is_verified_and_verifies_us(secured) -> None:
    files, port = secured
    with Client(Endpoint(f"tcp://127.0.0.1:{port}", Tls(files.ca, files.cert, files.key, True))) as client:
        assert client.call(system.info())["Name"] == "safe"


def test_an_unknown_authority_is_refused(secured, tmp_path: Path) -> None:
    files, port = secured
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    with (
        Client(Endpoint(f"tcp://127.0.0.1:{port}", Tls(str(other), files.cert, files.key, True))) as client,
        pytest.raises(ConnectionFailedError, match="error during connect"),
    ):
        client.call(system.info())


def test_without_verify_any_certificate_will_do(secured) -> None:
    files, port = secured
    with Client(Endpoint(f"tcp://127.0.0.1:{port}", Tls(None, files.cert, files.key, False))) as client:
        assert client.call(system.info())["Name"] == "safe"


def test_ssh_is_a_program_whose_streams_are_the_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, daemon) -> None:
    import sys

    ssh = tmp_path / "ssh"
    ssh.write_text(
        f"#!{sys.executable}\n"
        "import os, socket, sys, threading\n"
        "assert 'dial-stdio' in sys.argv[-1] and sys.argv[-2] == 'far', sys.argv\n"
        f"s = socket.socket(socket.AF_UNIX); s.connect({str(daemon.path)!r})\n"
        "def up():\n"
        "    while data := os.read(0, 65536): s.sendall(data)\n"
        "    s.shutdown(socket.SHUT_WR)\n"
        "threading.Thread(target=up, daemon=True).start()\n"
        "while data := s.recv(65536): os.write(1, data)\n"
    )
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    daemon.answer = lambda _request: b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"Name":"far"}'
    with Client(Endpoint("ssh://me@far")) as client:
        assert client.call(system.info())["Name"] == "far"
