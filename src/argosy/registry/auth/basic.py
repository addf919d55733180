"""Passwords over HTTP Basic (RFC 7617), and access rules."""

import asyncio
import base64
import binascii
from collections.abc import Sequence

from argosy.registry.auth.grant import Grant, Need
from argosy.registry.auth.htpasswd import Htpasswd
from argosy.registry.auth.own_tokens import OwnTokens
from argosy.registry.auth.rules import Rule, allowance, knows_anonymous
from argosy.registry.errors import RegistryError
from argosy.registry.http.answer import AnyAnswer, json
from argosy.registry.http.request import Request
from argosy.registry.metrics import Metrics


class BasicGate:
    def __init__(self, *, passwords: Htpasswd, rules: Sequence[Rule], realm: str, metrics: Metrics) -> None:
        self._passwords = passwords
        self._rules = rules
        self._realm = realm
        self._tokens = OwnTokens() if knows_anonymous(rules) else None
        self._metrics = metrics

    async def admit(self, request: Request, need: Need) -> Grant:
        user = await self._user(request, need)
        allows = allowance(self._rules, user)
        missing = [action for action in need.actions if not allows(need.name, action)]
        came_with_nothing = "Authorization" not in request.headers
        if not user and (missing or self._must_ask(need, came_with_nothing)):
            raise self._unauthorized(request, need)
        if missing:
            raise RegistryError("DENIED", detail=[{"Type": "repository", "Name": need.name, "Action": action} for action in missing])
        return Grant(user, allows)

    def _must_ask(self, need: Need, came_with_nothing: bool) -> bool:
        """Say whether the registry itself (no repository) asks for a password, so that clients learn that there are any."""
        return not need.name and (self._tokens is None or (came_with_nothing and not need.browser))

    async def token(self, request: Request) -> AnyAnswer:
        """Answer ``/token``: who asks with a password gets a token for its user, who asks without gets one for nobody in particular."""
        if self._tokens is None or request.method != "GET":
            raise RegistryError("UNSUPPORTED")
        return json(self._tokens.give(await self._user(request, Need(browser=True))))

    async def _user(self, request: Request, need: Need) -> str:
        """Return who asks, empty for nobody in particular. Raises RegistryError UNAUTHORIZED for a password that is wrong."""
        header = request.headers.get("Authorization", "")
        if not header:
            return ""
        scheme, _, value = header.partition(" ")
        if self._tokens is not None and scheme.lower() == "bearer":
            found = self._tokens.user(value.strip())
            if found is None:
                raise self._unauthorized(request, need)
            return found
        user, password = credentials(header)
        if user and (self._passwords.known(user, password) or await asyncio.to_thread(self._passwords.check, user, password)):
            return user
        self._metrics.add("argosy_registry_logins_refused_total")
        raise self._unauthorized(request, need)

    def _unauthorized(self, request: Request, need: Need) -> RegistryError:
        words = f'Basic realm="{self._realm}"'
        if self._tokens is not None and not need.browser:
            host = request.headers.get("Host", "localhost").replace('"', "")
            words = f'Bearer realm="{request.scheme}://{host}/token",service="{host}"'
            if need.name:
                words += f',scope="repository:{need.name}:{",".join(need.actions)}"'
        return RegistryError("UNAUTHORIZED", headers={"WWW-Authenticate": words})


def credentials(header: str) -> tuple[str, str]:
    """Return user and password of an ``Authorization`` header, two empty strings of anything else."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password
