"""Detach keys in a client's input, by moby's rules (``moby/term`` ``escapeProxy``).

The beginning of the sequence is held back; when the next byte does not continue it, it is passed on after all. As in moby
a failed attempt is not searched again for a new beginning, and the byte that broke it is passed on too.
"""


class DetachKeys:
    __slots__ = ("_keys", "_matched")

    def __init__(self, keys: bytes) -> None:
        self._keys = keys
        self._matched = 0

    def filter(self, data: bytes) -> tuple[bytes, bool]:
        """Return (what the program gets, whether the whole sequence was seen); bytes after the sequence are dropped."""
        keys = self._keys
        if not keys:
            return data, False
        if not self._matched and keys[0] not in data:
            return data, False
        passed = bytearray()
        for position, byte in enumerate(data):
            if byte == keys[self._matched]:
                self._matched += 1
                if self._matched == len(keys):
                    self._matched = 0
                    return bytes(passed), True
                continue
            passed += keys[: self._matched]
            passed.append(data[position])
            self._matched = 0
        return bytes(passed), False
