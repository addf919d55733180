"""A file of users and hashed passwords, as Apache's htpasswd writes it; read again when it changes."""

import hashlib
import hmac
import os
import time
from collections.abc import Callable, Mapping

from argosy.base.errors import SystemFailureError
from argosy.linux import crypt
from argosy.registry.auth import apr1

_REMEMBERED_SECONDS = 300.0
_NOBODY = b"$2y$10$abcdefghijklmnopqrstuuoO7fGZ5bDSNLoKWVbT0L1r9Qe0u8m7G"
"""Hashed for users that do not exist, so that they take as long as those that do."""


def parse(text: str) -> dict[str, bytes]:
    """Return user → hash. Lines without a colon and comments are left out, as Apache does."""
    users = {}
    for line in text.splitlines():
        name, colon, hashed = line.strip().partition(":")
        if colon and name and not name.startswith("#"):
            users[name] = hashed.encode()
    return users


def matches(password: bytes, hashed: bytes) -> bool:
    """Say whether a password is the one that was hashed."""
    if hashed.startswith(b"$apr1$"):
        return apr1.apr1_matches(password, hashed)
    if hashed.startswith(b"{SHA}"):
        return apr1.sha_matches(password, hashed)
    # Everything else is crypt(3)'s. Never plain text: a hash that is the password itself is none that crypt gives.
    return crypt.matches(password, hashed)


class Htpasswd:
    """Passwords that were right are remembered as keyed hashes: clients send them with each request, and bcrypt is slow."""

    def __init__(self, path: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._monotonic = monotonic
        self._key = os.urandom(32)
        self._stamp: tuple[int, int] = (0, 0)
        self._users: Mapping[str, bytes] = {}
        self._remembered: dict[str, tuple[bytes, float]] = {}
        if not crypt.available():
            raise SystemFailureError("cannot check passwords: this system has no libcrypt.so.1 (install libcrypt1)")
        try:
            self._read()
        except OSError as error:
            raise SystemFailureError(f"cannot read the passwords in {path}: {error.strerror}") from error

    def _read(self) -> None:
        status = os.stat(self._path)
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp != self._stamp:
            with open(self._path, encoding="utf-8") as file:
                self._users = parse(file.read())
            self._stamp = stamp
            self._remembered.clear()

    def known(self, user: str, password: str) -> bool:
        """Say whether the password was right a short while ago and the file is the same; does not block for long."""
        found = self._remembered.get(user)
        return found is not None and found[1] > self._monotonic() and hmac.compare_digest(found[0], self._tag(user, password))

    def check(self, user: str, password: str) -> bool:
        """Say whether the password is right; for a thread."""
        try:
            self._read()
        except OSError:
            # An editor is replacing it: what was read last counts.
            pass
        if self.known(user, password):
            return True
        hashed = self._users.get(user)
        right = matches(password.encode(), hashed or _NOBODY) and hashed is not None
        if right:
            self._remembered[user] = (self._tag(user, password), self._monotonic() + _REMEMBERED_SECONDS)
        return right

    def _tag(self, user: str, password: str) -> bytes:
        return hmac.new(self._key, f"{user}\0{password}".encode(), hashlib.sha256).digest()
