"""Who a client says it is: ``X-Registry-Auth``, ``X-Registry-Config``, the body of ``POST /auth``. Nothing here shows a secret."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from argosy.base.errors import InvalidParameterError
from argosy.images.distribution.endpoints import is_hub


@dataclass(frozen=True, slots=True)
class Credentials:
    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    """A refresh token that a registry gave in place of a password."""
    registry_token: str = field(default="", repr=False)
    """A bearer token to be used as it is."""
    server: str = ""

    def __bool__(self) -> bool:
        return bool(self.username or self.identity_token or self.registry_token)


ANONYMOUS = Credentials()


def from_header(text: str) -> Credentials:
    """Return the login of ``X-Registry-Auth``; one that cannot be read is none, as for Docker (moby ``registry.DecodeAuthConfig``)."""
    try:
        return from_document(_decode(text)) if text else ANONYMOUS
    except InvalidParameterError:
        return ANONYMOUS


def from_document(document: Mapping[str, Any]) -> Credentials:
    """Return the login of the API's ``AuthConfig``. Raises InvalidParameterError."""
    values = {}
    for key in ("username", "password", "identitytoken", "registrytoken", "serveraddress", "auth"):
        value = document.get(key) or ""
        if not isinstance(value, str):
            raise InvalidParameterError(f"invalid {key} of a registry login")
        values[key] = value
    username, password = values["username"], values["password"]
    if values["auth"] and not username:
        try:
            username, _, password = base64.b64decode(values["auth"], validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise InvalidParameterError("invalid auth of a registry login") from None
    return Credentials(username, password, values["identitytoken"], values["registrytoken"], values["serveraddress"])


def from_config_header(text: str) -> Mapping[str, Credentials]:
    """Return the logins of ``X-Registry-Config`` (builds) by server; for `choose`. Unreadable ones are none."""
    try:
        found = _decode(text) if text else {}
        return {server: from_document(login) for server, login in found.items() if isinstance(login, Mapping)}
    except InvalidParameterError:
        return {}


def choose(logins: Mapping[str, Credentials], domain: str) -> Credentials:
    """Return the login for a registry's domain, whatever form its server is written in."""
    for server, login in logins.items():
        host = server_host(server)
        if host == domain or (is_hub(domain) and is_hub(host)):
            return login
    return ANONYMOUS


def server_host(server: str) -> str:
    """Return host and port of ``https://index.docker.io/v1/`` or ``host:5000``."""
    return urlsplit(server if "://" in server else f"//{server}").netloc


def _decode(text: str) -> Mapping[str, Any]:
    padded = text.rstrip("=")
    padded += "=" * (-len(padded) % 4)
    try:
        # Clients differ in which of the two alphabets they write.
        found = json.loads(base64.b64decode(padded.translate(str.maketrans("-_", "+/")), validate=True))
    except (binascii.Error, ValueError):
        raise InvalidParameterError("invalid registry login: not JSON in base64") from None
    if not isinstance(found, Mapping):
        raise InvalidParameterError("invalid registry login: not an object")
    return found
