"""Logins, in files and by helpers."""

import base64
import json
import sys
from pathlib import Path

import pytest

from argosy.cli.images.credentials import HUB, CredentialError, Logins, registry_of
from argosy.cli.session import Session


@pytest.fixture
def session(tmp_path: Path) -> Session:
    (tmp_path / "docker").mkdir()
    return Session({"ARGOSY_CONFIG": str(tmp_path / "argosy"), "DOCKER_CONFIG": str(tmp_path / "docker")})


def write_docker(session: Session, document: object) -> None:
    Path(session.environ["DOCKER_CONFIG"], "config.json").write_text(json.dumps(document))


def test_dockers_logins_are_read_and_never_written(session: Session) -> None:
    auth = base64.b64encode(b"me:se:cret").decode()
    write_docker(session, {"auths": {"https://reg.example/v1/": {"auth": auth}, HUB: {"identitytoken": "tok"}}})
    logins = Logins(session)
    assert logins.get("reg.example") == {"username": "me", "password": "se:cret", "serveraddress": "reg.example"}
    assert logins.get(HUB)["identitytoken"] == "tok"
    assert logins.get("other.example") == {}
    assert not logins.forget("reg.example")
    assert set(logins.all()) == {"https://reg.example/v1/", HUB}


def test_a_login_is_kept_and_forgotten(session: Session) -> None:
    logins = Logins(session)
    assert logins.store("r:5000", "u", "p").endswith("argosy/config.json")
    assert logins.get("r:5000")["password"] == "p"
    decoded = json.loads(base64.urlsafe_b64decode(logins.header("r:5000")))
    assert decoded["username"] == "u"
    assert logins.forget("r:5000")
    assert logins.get("r:5000") == {}


def test_helpers_are_asked(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = tmp_path / "docker-credential-fake"
    helper.write_text(
        f"#!{sys.executable}\nimport sys\nname = sys.stdin.read()\n"
        "if name != 'r': print('credentials not found in native keychain'); sys.exit(1)\n"
        'print(\'{"ServerURL": "r", "Username": "<token>", "Secret": "s"}\')\n'
    )
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    write_docker(session, {"credsStore": "fake", "credHelpers": {"broken": "missing"}})
    assert Logins(session).get("r") == {"serveraddress": "r", "identitytoken": "s"}
    assert Logins(session).get("unknown") == {}
    with pytest.raises(CredentialError, match="docker-credential-missing"):
        Logins(session).get("broken")


def test_the_hub_has_a_key_of_its_own() -> None:
    assert registry_of("docker.io") == HUB
    assert registry_of("r:5000") == "r:5000"
