"""Detach keys: their spelling, and finding them in what is typed (github.com/moby/term, ascii.go and proxy.go)."""

from __future__ import annotations

DEFAULT = "ctrl-p,ctrl-q"
_SPECIAL = {"@": 0, "[": 27, "\\": 28, "]": 29, "^": 30, "_": 31}


def parse(text: str) -> bytes:
    """Return the bytes of ``ctrl-p,ctrl-q`` or ``a,b``; raises ValueError in docker's words."""
    codes = bytearray()
    for key in text.split(","):
        if len(key) == 1 and key.isascii():
            codes.append(ord(key))
            continue
        kind, dash, letter = key.lower().partition("-")
        code = ord(letter) - ord("a") + 1 if len(letter) == 1 and "a" <= letter <= "z" else _SPECIAL.get(letter)
        if kind != "ctrl" or not dash or code is None:
            raise ValueError(f"Unknown character: '{key}'")
        codes.append(code)
    return bytes(codes)


class DetachKeys:
    """Watches typed bytes; a started sequence is held back until it is complete or turns out to be something else."""

    def __init__(self, keys: bytes) -> None:
        self._keys = keys
        self._matched = 0

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """Return what to pass on, and whether the sequence was completed (what follows it is dropped)."""
        if not self._keys:
            return data, False
        out = bytearray()
        for byte in data:
            if byte == self._keys[self._matched]:
                self._matched += 1
                if self._matched == len(self._keys):
                    self._matched = 0
                    return bytes(out), True
                continue
            if self._matched:
                out += self._keys[: self._matched]
                self._matched = 0
                if byte == self._keys[0]:
                    self._matched = 1
                    if len(self._keys) == 1:
                        return bytes(out), True
                    continue
            out.append(byte)
        return bytes(out), False
