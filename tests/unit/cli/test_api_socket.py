"""What ``--use-api-socket`` adds to a container."""

import json
from base64 import b64encode

import pytest

from argosy.cli.running import api_socket
from argosy.client.host import parse_host


@pytest.mark.parametrize(
    ("host", "source"),
    [("unix:///tmp/a.sock", "/tmp/a.sock"), ("tcp://far:2375", "/run/argosy.sock"), ("ssh://far", "/run/argosy.sock")],
)
def test_the_daemons_socket_is_mounted_where_tools_look_for_dockers(host: str, source: str) -> None:
    wanted = {"Env": ["A=1"], "HostConfig": {"Mounts": [{"Target": "/x"}]}}
    api_socket.add(wanted, parse_host(host))
    assert wanted["HostConfig"]["Mounts"] == [{"Target": "/x"}, {"Type": "bind", "Source": source, "Target": "/var/run/docker.sock"}]
    assert wanted["Env"] == ["A=1", "DOCKER_CONFIG=/run/secrets/docker"]
    assert api_socket.wants_logins(wanted)


def test_a_configuration_of_the_users_own_gets_no_logins() -> None:
    wanted = {"Env": ["DOCKER_CONFIG=/mine"], "HostConfig": {}}
    api_socket.add(wanted, parse_host("unix:///tmp/a.sock"))
    assert wanted["Env"] == ["DOCKER_CONFIG=/mine"]
    assert not api_socket.wants_logins(wanted)


def test_logins_are_written_as_dockers_tools_read_them() -> None:
    logins = {"a": {"serveraddress": "a", "username": "u", "password": "p:q"}, "b": {"identitytoken": "t"}}
    auths = {"a": {"auth": b64encode(b"u:p:q").decode()}, "b": {"identitytoken": "t"}}
    assert json.loads(api_socket.document(logins)) == {"auths": auths}
