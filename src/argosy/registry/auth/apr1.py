"""Apache's own forms of passwords: ``$apr1$`` and ``{SHA}`` (httpd documentation, "Password Formats"; apr_md5.c describes the first).

Old files hold them. Neither is good protection any more: ``htpasswd -B`` writes bcrypt.
"""

import base64
import hashlib
import hmac

_ALPHABET = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MAGIC = b"$apr1$"
_ROUNDS = 1000
_TRIPLES = ((0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5))


def sha_matches(password: bytes, hashed: bytes) -> bool:
    """Say whether ``{SHA}`` and base64 of a SHA-1 is that of the password."""
    return hmac.compare_digest(b"{SHA}" + base64.b64encode(hashlib.sha1(password).digest()), hashed)


def apr1_matches(password: bytes, hashed: bytes) -> bool:
    """Say whether ``$apr1$SALT$…`` is that of the password."""
    parts = hashed.split(b"$")
    return len(parts) == 4 and hmac.compare_digest(apr1(password, parts[2]), hashed)


def apr1(password: bytes, salt: bytes) -> bytes:
    """Return ``$apr1$SALT$…``."""
    salt = salt[:8]
    inner = hashlib.md5(password + salt + password).digest()
    start = password + _MAGIC + salt
    start += (inner * (len(password) // 16 + 1))[: len(password)]
    length = len(password)
    while length:
        start += b"\0" if length & 1 else password[:1]
        length >>= 1
    digest = hashlib.md5(start).digest()
    for turn in range(_ROUNDS):
        piece = password if turn & 1 else digest
        piece += salt if turn % 3 else b""
        piece += password if turn % 7 else b""
        piece += digest if turn & 1 else password
        digest = hashlib.md5(piece).digest()
    text = b"".join(_letters(digest[a] << 16 | digest[b] << 8 | digest[c], 4) for a, b, c in _TRIPLES)
    return _MAGIC + salt + b"$" + text + _letters(digest[11], 2)


def _letters(value: int, count: int) -> bytes:
    return bytes(_ALPHABET[value >> 6 * place & 63] for place in range(count))
