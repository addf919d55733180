"""Digests: ``algorithm:hex`` (OCI image specification, descriptor.md "Digests")."""

import hashlib
import re

from argosy.base.errors import InvalidParameterError

_LENGTHS = {"sha256": 64, "sha512": 128}
_HEX = re.compile(r"[0-9a-f]+\Z")


def of(data: bytes, algorithm: str = "sha256") -> str:
    """Return the digest of ``data``."""
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def is_digest(text: str) -> bool:
    algorithm, _, value = text.partition(":")
    return len(value) == _LENGTHS.get(algorithm, -1) and _HEX.match(value) is not None


def split(digest: str) -> tuple[str, str]:
    """Return (algorithm, hex). Raises InvalidParameterError with the words of go-digest."""
    algorithm, colon, value = digest.partition(":")
    if not colon:
        raise InvalidParameterError("invalid checksum digest format")
    if algorithm not in _LENGTHS:
        raise InvalidParameterError("unsupported digest algorithm")
    if len(value) != _LENGTHS[algorithm]:
        raise InvalidParameterError("invalid checksum digest length")
    if _HEX.match(value) is None:
        raise InvalidParameterError("invalid checksum digest format")
    return algorithm, value
