"""Logins at registries: Argosy's config.json, else docker's, and credential helpers.

A helper is a program ``docker-credential-NAME`` that speaks JSON on its standard streams
(https://github.com/docker/docker-credential-helpers).
"""

from __future__ import annotations

import json

from argosy.base.errors import ArgosyError
from argosy.client.contexts import load_config, save_config
from argosy.client.endpoint import docker_config_directory
from argosy.client.system import registry_auth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from argosy.cli.session import Session

HUB = "https://index.docker.io/v1/"
_TOKEN = "<token>"


class CredentialError(ArgosyError):
    """A credential helper that is missing or refuses."""


def registry_of(domain: str) -> str:
    """Return the key under which a login for the domain is kept."""
    return HUB if domain in ("docker.io", "index.docker.io") else domain


def bare_host(registry: str) -> str:
    """Return the host of a registry's key: without scheme and path."""
    return registry.removeprefix("https://").removeprefix("http://").partition("/")[0]


class Logins:
    """Finds and keeps logins."""

    def __init__(self, session: Session) -> None:
        self._directory = session.directory
        self._docker = docker_config_directory(session.environ)

    def get(self, registry: str) -> dict[str, Any]:
        """Return the login in the API's form, empty when there is none. Raises CredentialError."""
        for directory in (self._directory, self._docker):
            config = load_config(directory)
            if helper := _helper(config, registry):
                found = _run(helper, "get", registry)
                if found is not None:
                    return _login(registry, str(found.get("Username", "")), str(found.get("Secret", "")))
            for key, entry in (config.get("auths") or {}).items():
                same = key == registry or bare_host(key) == bare_host(registry)
                if same and (login := _stored(registry, entry)):
                    return login
        return {}

    def header(self, registry: str) -> str:
        """Return the value of ``X-Registry-Auth``."""
        return registry_auth(self.get(registry))

    def store(self, registry: str, username: str, secret: str) -> str:
        """Keep a login and return where: a helper's name, or the file's path. Raises CredentialError."""
        config = load_config(self._directory)
        helper = _helper(config, registry)
        if helper:
            _run(helper, "store", json.dumps({"ServerURL": registry, "Username": username, "Secret": secret}))
            entry: dict[str, str] = {}
        else:
            from base64 import b64encode

            entry = {"auth": b64encode(f"{username}:{secret}".encode()).decode()}
        config.setdefault("auths", {})[registry] = entry
        save_config(self._directory, config)
        return helper or f"{self._directory}/config.json"

    def forget(self, registry: str) -> bool:
        """Remove a login; returns False when there was none. Docker's own configuration is never written."""
        config = load_config(self._directory)
        if helper := _helper(config, registry):
            _run(helper, "erase", registry)
        keys = [key for key in config.get("auths") or {} if key == registry or bare_host(key) == bare_host(registry)]
        for key in keys:
            del config["auths"][key]
        if keys:
            save_config(self._directory, config)
        return bool(keys)

    def all(self) -> dict[str, dict[str, Any]]:
        """Return every login by registry, for ``X-Registry-Config`` of a build."""
        keys: dict[str, None] = {}
        for directory in (self._directory, self._docker):
            config = load_config(directory)
            keys |= dict.fromkeys(config.get("auths") or {}) | dict.fromkeys(config.get("credHelpers") or {})
        return {key: login for key in keys if (login := self.get(key))}


def _helper(config: Mapping[str, Any], registry: str) -> str:
    by_registry = config.get("credHelpers") or {}
    return str(by_registry.get(registry) or by_registry.get(bare_host(registry)) or config.get("credsStore") or "")


def _stored(registry: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    from base64 import b64decode
    from binascii import Error

    if token := entry.get("identitytoken"):
        return {"serveraddress": registry, "identitytoken": token}
    try:
        username, _, secret = b64decode(str(entry.get("auth", ""))).decode().rstrip("\0").partition(":")
    except (Error, UnicodeDecodeError):
        return {}
    return _login(registry, username, secret) if username else {}


def _login(registry: str, username: str, secret: str) -> dict[str, Any]:
    if username == _TOKEN:
        return {"serveraddress": registry, "identitytoken": secret}
    return {"username": username, "password": secret, "serveraddress": registry}


def _run(helper: str, verb: str, text: str) -> dict[str, Any] | None:
    """Speak to a helper; returns None when it knows no login."""
    import subprocess

    program = f"docker-credential-{helper}"
    try:
        done = subprocess.run([program, verb], input=text.encode(), capture_output=True, check=False)
    except OSError as error:
        raise CredentialError(f"error getting credentials - err: exec: {program}: {error.strerror}") from None
    output = done.stdout.decode(errors="replace").strip()
    if done.returncode:
        if "credentials not found" in output:
            return None
        raise CredentialError(f"error getting credentials - err: exit status {done.returncode}, out: `{output}`")
    try:
        value = json.loads(output) if output else {}
    except ValueError:
        raise CredentialError(f"error getting credentials - out: `{output}`") from None
    return value if isinstance(value, dict) else {}
