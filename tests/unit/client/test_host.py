"""Addresses of daemons, and which one is meant."""

from pathlib import Path

import pytest

from argosy.client.contexts import Context, ContextError, ContextStore, check_name, load_config, save_config
from argosy.client.dial import failure, ssh_command
from argosy.client.endpoint import TlsFlags, current_context, find
from argosy.client.errors import ClientError, InvalidHostError
from argosy.client.host import parse_host


@pytest.mark.parametrize(
    ("text", "kind", "address", "port"),
    [
        ("unix:///run/x.sock", "unix", "/run/x.sock", 0),
        ("unix://", "unix", "/run/argosy.sock", 0),
        ("", "unix", "/run/argosy.sock", 0),
        ("tcp://1.2.3.4:99", "tcp", "1.2.3.4", 99),
        ("tcp://[::1]:99", "tcp", "::1", 99),
        ("box", "tcp", "box", 2375),
        ("tcp://:2375", "tcp", "localhost", 2375),
        ("ssh://me@box:22", "ssh", "box", 22),
    ],
)
def test_addresses_are_understood(text: str, kind: str, address: str, port: int) -> None:
    host = parse_host(text)
    assert (host.kind, host.address, host.port) == (kind, address, port)


def test_tls_has_another_port() -> None:
    assert parse_host("tcp://box", tls=True).port == 2376


@pytest.mark.parametrize(
    "text", ["npipe://x", "tcp://a:b", "tcp://a:70000", "tcp://me@box", "ssh://me:secret@box", "ssh://", "ssh://-oProxy", "tcp://[::1"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidHostError):
        parse_host(text)


def test_ssh_never_takes_the_host_for_an_option() -> None:
    command = ssh_command(parse_host("ssh://me@box:2222/run/it's.sock"))
    assert command[command.index("--") + 1] == "box"
    assert command[command.index("-l") :][:2] == ["-l", "me"]
    assert "dial-stdio" in command[-1]


def test_the_daemon_is_found_in_order(tmp_path: Path) -> None:
    store = ContextStore(str(tmp_path))
    store.put(Context("far", "ssh://far"))
    save_config(str(tmp_path), {"currentContext": "far"})
    directory = {"directory": str(tmp_path)}
    both = {"ARGOSY_HOST": "tcp://a", "DOCKER_HOST": "tcp://b"}
    assert find(both, host="tcp://c", **directory).text == "tcp://c"
    assert find(both, **directory).text == "tcp://a"
    assert find({"DOCKER_HOST": "tcp://b"}, **directory).text == "tcp://b"
    assert find({}, **directory).text == "ssh://far"
    assert find(both, context="far", **directory).text == "ssh://far"
    assert find({}, directory=str(tmp_path / "none")).text == "unix:///run/argosy.sock"
    with pytest.raises(InvalidHostError):
        find({}, host="tcp://a", context="far", **directory)
    with pytest.raises(ContextError, match="context not found"):
        find({}, context="nowhere", **directory)


def test_a_host_in_the_environment_means_the_default_context(tmp_path: Path) -> None:
    save_config(str(tmp_path), {"currentContext": "far"})
    assert current_context({}, str(tmp_path)) == "far"
    assert current_context({"DOCKER_HOST": "x"}, str(tmp_path)) == "default"
    assert current_context({"DOCKER_CONTEXT": "near"}, str(tmp_path)) == "near"


def test_tls_is_asked_for_as_docker_does(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("x")
    environ = {"DOCKER_HOST": "tcp://box", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}
    tls = find(environ, directory=str(tmp_path)).tls
    assert tls is not None
    assert (tls.verify, tls.ca, tls.cert) == (True, str(tmp_path / "ca.pem"), None)
    assert find({"DOCKER_HOST": "tcp://box"}, directory=str(tmp_path)).tls is None
    loose = find({}, host="tcp://box", flags=TlsFlags(tls=True), directory=str(tmp_path)).tls
    assert loose is not None
    assert (loose.verify, loose.ca) == (False, None)


def test_contexts_are_kept_with_their_certificates(tmp_path: Path) -> None:
    store = ContextStore(str(tmp_path))
    store.put(Context("prod", "tcp://prod:2376", "the real one", True), {"ca": b"CA"})
    found = store.get("prod")
    assert (found.host, found.description, found.skip_tls_verify) == ("tcp://prod:2376", "the real one", True)
    assert Path(store.tls_files("prod")["ca"]).read_bytes() == b"CA"
    assert Path(store.tls_files("prod")["ca"]).stat().st_mode & 0o777 == 0o600
    assert store.names() == ["prod"]
    store.remove("prod")
    assert store.names() == []
    assert not Path(store.tls_directory("prod")).parent.exists()


@pytest.mark.parametrize("name", ["default", "a", "a b", "../x", "-x"])
def test_bad_context_names_are_refused(name: str) -> None:
    with pytest.raises(ContextError):
        check_name(name)


def test_the_configuration_survives_and_is_private(tmp_path: Path) -> None:
    assert load_config(str(tmp_path / "no")) == {}
    save_config(str(tmp_path), {"detachKeys": "ctrl-x"})
    assert load_config(str(tmp_path)) == {"detachKeys": "ctrl-x"}
    assert (tmp_path / "config.json").stat().st_mode & 0o777 == 0o600
    (tmp_path / "config.json").write_text("{broken")
    with pytest.raises(ClientError):
        load_config(str(tmp_path))


def test_a_missing_daemon_is_told_with_advice() -> None:
    error = failure("unix:///run/argosy.sock", parse_host(""), FileNotFoundError(2, "No such file"))
    assert str(error) == "Cannot connect to the Argosy daemon at unix:///run/argosy.sock. Is the argosy daemon running?"
    assert "systemctl start argosyd" in error.advice
    assert "usermod" in failure("unix:///x", parse_host("unix:///x"), PermissionError(13, "no")).advice
