"""Bearer tokens of a token server (distribution/docs/spec/auth/token.md, jwt.md).

Who comes without a token is told where to get one and for what; the token says what its bearer may do. Nothing is asked of the
token server: its signature is enough.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from argosy.base.errors import InvalidParameterError
from argosy.registry.auth.grant import ACTIONS, Grant, Need
from argosy.registry.auth.jwt import BadToken, TrustedKey, claims, keys_of_set
from argosy.registry.config import TokenAuth
from argosy.registry.errors import RegistryError
from argosy.registry.http.request import Request
from argosy.registry.metrics import Metrics

_LEEWAY = 60
"""Seconds that clocks may differ, as in Docker's registry."""


class TokenGate:
    def __init__(self, config: TokenAuth, *, metrics: Metrics, now: Callable[[], float] = time.time) -> None:
        """Raises InvalidParameterError when the keys cannot be read."""
        self._config = config
        self._metrics = metrics
        self._now = now
        self._keys, self._authorities = _load(config)

    async def admit(self, request: Request, need: Need) -> Grant:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise self._challenge(need, "")
        try:
            found = claims(token.strip(), self._keys, self._authorities)
            self._check(found)
        except BadToken as error:
            self._metrics.add("argosy_registry_logins_refused_total")
            raise self._challenge(need, "invalid_token", f"authentication required: the token is refused: {error}") from error
        allowed = _access(found)
        if any(action not in allowed.get(need.name, ()) for action in need.actions):
            raise self._challenge(need, "insufficient_scope")
        return Grant(str(found.get("sub", "")), lambda name, action: action in allowed.get(name, ()))

    def _check(self, found: Mapping[str, Any]) -> None:
        audience = found.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if found.get("iss") != self._config.issuer:
            raise BadToken(f"its issuer is {found.get('iss')!r}")
        if self._config.service not in audiences:
            raise BadToken("it is for another service")
        now = self._now()
        expires, starts = found.get("exp"), found.get("nbf", 0)
        if not isinstance(expires, int | float) or now > expires + _LEEWAY:
            raise BadToken("it has expired")
        if not isinstance(starts, int | float) or now < starts - _LEEWAY:
            raise BadToken("it is not valid yet")

    def _challenge(self, need: Need, error: str, message: str = "") -> RegistryError:
        words = f'Bearer realm="{self._config.realm}",service="{self._config.service}"'
        if need.name:
            words += f',scope="repository:{need.name}:{",".join(need.actions)}"'
        if error:
            words += f',error="{error}"'
        # Docker's registry answers 401 with the scope also when a token is good for something else: the client gets another.
        return RegistryError("UNAUTHORIZED", message, headers={"WWW-Authenticate": words})


def _access(found: Mapping[str, Any]) -> dict[str, set[str]]:
    """Return repository → actions."""
    allowed: dict[str, set[str]] = {}
    entries = found.get("access")
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and entry.get("type") == "repository":
            actions = {str(action) for action in entry.get("actions", ())}
            allowed.setdefault(str(entry.get("name")), set()).update(ACTIONS if "*" in actions else actions)
    return allowed


def _load(config: TokenAuth) -> tuple[list[TrustedKey], list[x509.Certificate]]:
    keys: list[TrustedKey] = []
    authorities: list[x509.Certificate] = []
    try:
        for path in config.certificates:
            with open(path, "rb") as file:
                authorities += x509.load_pem_x509_certificates(file.read())
        if config.jwks:
            with open(config.jwks, "rb") as file:
                keys += keys_of_set(file.read())
    except (OSError, ValueError, BadToken) as error:
        raise InvalidParameterError(f"auth.token: cannot read the keys of the token server: {error}") from error
    for certificate in authorities:
        key = certificate.public_key()
        if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
            keys.append(TrustedKey(key))
    if not keys:
        raise InvalidParameterError("auth.token: give certificates or jwks, or no token can be believed")
    return keys, authorities
