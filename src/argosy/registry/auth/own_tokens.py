"""Tokens that this server gives itself, where some things may be pulled without a password.

docker decides by the answer to ``GET /v2/`` whether it ever sends a password. 200 means never, so nobody could push; a Basic
challenge means that who has none cannot even pull. A Bearer challenge does both: who has a password gets a token for its user, who
has none gets one for nobody in particular. The token only says who; what that one may do is looked up when it is used.
"""

import base64
import binascii
import hashlib
import hmac
import os
import time
from collections.abc import Callable

import msgspec

_SECONDS = 900


class OwnTokens:
    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        self._key = os.urandom(32)
        """Tokens end with the process; clients get another when they are told 401."""
        self._now = now

    def give(self, user: str) -> dict[str, object]:
        """Return the token server's answer (distribution/docs/spec/auth/token.md)."""
        payload = msgspec.json.encode([user, int(self._now()) + _SECONDS])
        token = base64.urlsafe_b64encode(self._sign(payload) + payload).decode()
        return {"token": token, "access_token": token, "expires_in": _SECONDS}

    def user(self, token: str) -> str | None:
        """Return whose token it is, empty for nobody in particular; None for one that is not ours or has expired."""
        try:
            data = base64.urlsafe_b64decode(token.encode())
        except (binascii.Error, ValueError):
            return None
        signature, payload = data[:32], data[32:]
        if not hmac.compare_digest(signature, self._sign(payload)):
            return None
        user, expires = msgspec.json.decode(payload, type=tuple[str, int])
        return user if self._now() < expires else None

    def _sign(self, payload: bytes) -> bytes:
        return hmac.new(self._key, payload, hashlib.sha256).digest()
