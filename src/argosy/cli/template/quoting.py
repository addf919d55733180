"""Go's quoting of text."""

from __future__ import annotations


def quote(text: str) -> str:
    """Go's strconv.Quote."""
    names = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\a": "\\a", "\b": "\\b", "\f": "\\f", "\v": "\\v"}
    out = (
        names.get(char) or (char if char.isprintable() else f"\\x{ord(char):02x}" if ord(char) < 0x80 else f"\\u{ord(char):04x}")
        for char in text
    )
    return '"' + "".join(out) + '"'
