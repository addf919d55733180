"""Detach keys: ``ctrl-p,ctrl-q`` into the bytes that a terminal sends (moby/term ``ToBytes``)."""

from argosy.base.errors import InvalidParameterError

DEFAULT = b"\x10\x11"
_CONTROL = "@abcdefghijklmnopqrstuvwxyz[\\]^_"
"""``ctrl-`` and the n-th of these is byte n."""


def parse_detach_keys(text: str) -> bytes:
    """Return the key sequence; Docker's default for an empty text. Raises InvalidParameterError."""
    if not text:
        return DEFAULT
    keys = bytearray()
    for part in text.split(","):
        if len(part) == 1 and part.isascii():
            keys += part.encode()
            continue
        control = part.removeprefix("ctrl-")
        if control == part or len(control) != 1 or control not in _CONTROL:
            raise InvalidParameterError(f"Invalid detach keys ({text}) provided")
        keys.append(_CONTROL.index(control))
    return bytes(keys)
