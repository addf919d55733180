import os
import socket
import stat
from pathlib import Path

import pytest

from argosy.api.listeners import close_listener, open_listeners, passed_listeners, unix_listener
from argosy.base.errors import InvalidParameterError, SystemFailureError


def test_a_unix_socket_is_for_root_and_the_group_only(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.sock"
    listener = unix_listener(str(path), "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    close_listener(listener)
    assert not path.exists()


def test_a_socket_nobody_serves_is_replaced_and_a_served_one_is_not(tmp_path: Path) -> None:
    path = str(tmp_path / "a.sock")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)
    listener = unix_listener(path, "")
    with pytest.raises(SystemFailureError, match="another daemon answers there"):
        unix_listener(path, "")
    close_listener(listener)


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.sock"
    path.write_text("precious")
    with pytest.raises(InvalidParameterError, match="not a socket"):
        unix_listener(str(path), "")
    assert path.read_text() == "precious"


def test_closing_does_not_unlink_another_daemons_socket(tmp_path: Path) -> None:
    path = tmp_path / "a.sock"
    listener = unix_listener(str(path), "")
    path.unlink()
    other = unix_listener(str(path), "")
    close_listener(listener)
    assert path.exists()
    close_listener(other)


def test_a_missing_group_only_narrows_access(tmp_path: Path) -> None:
    listener = unix_listener(str(tmp_path / "a.sock"), "no-such-group-here")
    close_listener(listener)


def test_plain_tcp_must_be_asked_for() -> None:
    with pytest.raises(InvalidParameterError, match="--tls=false"):
        open_listeners("tcp://127.0.0.1:0")
    (listener,) = open_listeners("tcp://127.0.0.1:0", allow_plain_tcp=True)
    assert listener.address.startswith("tcp://127.0.0.1:")
    close_listener(listener)


@pytest.mark.parametrize("address", ["udp://x", "tcp://127.0.0.1:port", "tcp://127.0.0.1:99999"])
def test_addresses_that_cannot_be_meant_are_refused(address: str) -> None:
    with pytest.raises(InvalidParameterError):
        open_listeners(address, allow_plain_tcp=True)


def test_sockets_passed_by_systemd_are_told_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidParameterError, match="no sockets found via socket activation"):
        passed_listeners("")
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.setenv("LISTEN_FDNAMES", "argosy.socket")
    with pytest.raises(InvalidParameterError, match="no sockets found"):
        passed_listeners("other")
