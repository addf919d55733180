"""JSON by the C accelerators alone, for processes that must stay small.

The package `json` brings `re`, `enum` and `functools` along: more than a megabyte that every shim would share and partly
copy. ``_json`` needs none of them. Where its interface is not as CPython 3.11 to 3.14 have it, the package is used.
"""

import _json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Rules:
    """What `_json.make_scanner` asks of a decoder."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float


def _refuse(value: object) -> object:
    raise TypeError(f"{type(value).__name__} is not JSON")


_scan = _json.make_scanner(_Rules())  # type: ignore[arg-type]
_compact = _json.make_encoder(None, _refuse, _json.encode_basestring_ascii, None, ":", ",", False, False, True)
_sorted = _json.make_encoder(None, _refuse, _json.encode_basestring, None, ":", ",", True, False, True)


def dumps(value: object) -> str:
    """Return compact JSON in ASCII."""
    return "".join(_compact(value, 0))


def dumps_sorted(value: object) -> str:
    """Return compact JSON with sorted keys and characters as they are."""
    return "".join(_sorted(value, 0))


def loads(text: "str | bytes") -> "Any":
    """Return the value of a compact JSON text. Raises ValueError."""
    if isinstance(text, bytes):
        text = text.decode()
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        raise ValueError("not JSON") from None
    if text[end:].strip():
        raise ValueError("more than one JSON value")
    return value
