"""Bearer tokens (distribution's docs/spec/auth/token.md and oauth.md), kept until they expire. Never shown."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from argosy.base.clock import Clock
from argosy.images.distribution.challenge import Challenge
from argosy.images.distribution.credentials import Credentials
from argosy.images.distribution.endpoints import Endpoint
from argosy.images.distribution.failures import RegistryError, TransportError
from argosy.images.distribution.http import Http

CLIENT = "docker"
"""Registries' token servers know Docker's client id."""
_SHORTEST = 60
"""Seconds that a token lives if its server does not say, or says less."""
_KEPT = 256
_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class Token:
    value: str = field(repr=False)
    expires: float
    refresh: str = field(default="", repr=False)
    """What to keep in place of a password, if it was asked for."""


class Tokens:
    """One for the daemon: a token is good for its realm, service, scopes and login."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[tuple[str, ...], Token] = {}

    async def get(
        self,
        http: Http,
        endpoint: Endpoint,
        challenge: Challenge,
        credentials: Credentials,
        scopes: Sequence[str],
        *,
        fresh: bool = False,
        offline: bool = False,
    ) -> Token:
        """Return a token for the scopes. ``fresh``: not one that was refused. Raises RegistryError and TransportError."""
        realm, service = challenge.get("realm"), challenge.get("service")
        key = (realm, service, *sorted(scopes), _identity(credentials))
        found = self._kept.get(key)
        if found is not None and not fresh and not offline and found.expires > self._clock.monotonic():
            return found
        token = await self._fetch(http, endpoint, realm, service, credentials, scopes, offline=offline)
        while len(self._kept) >= _KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[key] = token
        return token

    async def _fetch(
        self, http: Http, endpoint: Endpoint, realm: str, service: str, credentials: Credentials, scopes: Sequence[str], *, offline: bool
    ) -> Token:
        if not realm.startswith(("http://", "https://")):
            raise TransportError(f"the registry names no usable token server: {realm!r}")
        if realm.startswith("http://") and endpoint.url.startswith("https://") and endpoint.verify and credentials:
            raise TransportError(f"the registry wants the login to be sent without TLS to {realm}: refused")
        server = Endpoint(origin(realm), endpoint.verify)
        if credentials.identity_token:
            form = {
                "grant_type": "refresh_token",
                "refresh_token": credentials.identity_token,
                "service": service,
                "client_id": CLIENT,
                "scope": " ".join(scopes),
            }
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            return await self._ask(http, "POST", realm, server, headers, urlencode(form).encode())
        query = [("service", service)] * bool(service) + [("scope", scope) for scope in scopes]
        headers = {}
        if credentials.username:
            query.append(("account", credentials.username))
            headers["Authorization"] = basic(credentials)
        if offline:
            query += [("offline_token", "true"), ("client_id", CLIENT)]
        url = realm + ("&" if "?" in realm else "?") + urlencode(query)
        return await self._ask(http, "GET", url, server, headers, None)

    async def _ask(self, http: Http, method: str, url: str, server: Endpoint, headers: dict[str, str], data: bytes | None) -> Token:
        async with http.send(method, url, server, headers=headers, data=data) as answer:
            if answer.status >= 400:
                raise await answer.refusal()
            body = await answer.body(_LIMIT)
        return self._read(body)

    def _read(self, body: bytes) -> Token:
        try:
            document: Any = json.loads(body)
            value = document.get("token") or document.get("access_token")
            lives = max(_SHORTEST, int(document.get("expires_in") or 0))
        except (ValueError, AttributeError, TypeError):
            raise RegistryError(500, "", "the token server's answer is no token") from None
        if not isinstance(value, str) or not value:
            raise RegistryError(500, "", "authorization server did not include a token in the response")
        refresh = document.get("refresh_token")
        # A tenth early, so that it does not end on its way.
        return Token(value, self._clock.monotonic() + lives * 0.9, refresh if isinstance(refresh, str) else "")


def basic(credentials: Credentials) -> str:
    """Return the value of ``Authorization``."""
    from base64 import b64encode

    return "Basic " + b64encode(f"{credentials.username}:{credentials.password}".encode()).decode()


def _identity(credentials: Credentials) -> str:
    words = "\0".join((credentials.username, credentials.password, credentials.identity_token))
    return hashlib.sha256(words.encode()).hexdigest()


def origin(url: str) -> str:
    """Return scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
