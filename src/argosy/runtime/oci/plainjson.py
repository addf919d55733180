"""JSON by the interpreter's own accelerator, without the ``json`` package: that imports ``re`` and ``enum``, a third of the
start of a command that lives for 50 ms. Falls back to the package where the accelerator is missing or has changed.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Settings:
    """What `_json.make_scanner` reads: json.JSONDecoder's attributes."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float
    memo: "dict[str, str]" = {}  # noqa: RUF012 (the scanner wants it and empties it)


try:
    import _json

    _scan = _json.make_scanner(_Settings())  # type: ignore[arg-type]
    _quote = _json.encode_basestring_ascii
    if _scan('[1, {"a": "b"}]', 0) != ([1, {"a": "b"}], 15):
        raise ImportError
except (ImportError, AttributeError, TypeError):
    import json

    def loads(text: str) -> "Any":
        """Return the value; raises ValueError."""
        return json.loads(text)

    _quote = json.dumps
else:

    def loads(text: str) -> "Any":
        """Return the value; raises ValueError."""
        text = text.strip(" \t\n\r")
        try:
            value, end = _scan(text, 0)
        except StopIteration as error:
            raise ValueError(f"no JSON value at character {error.value}") from None
        except ImportError as error:  # the accelerator's way to raise JSONDecodeError
            raise ValueError("invalid JSON") from error
        if end != len(text):
            raise ValueError(f"unexpected text after JSON at character {end}")
        return value


def dumps(value: "Any", indent: "int | None" = None, level: int = 1) -> str:
    """Return JSON text of plain values."""
    if isinstance(value, str):
        return str(_quote(value))
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return repr(value)
    brackets = "{}" if isinstance(value, dict) else "[]"
    if isinstance(value, dict):
        items = [f"{_quote(str(key))}: {dumps(item, indent, level + 1)}" for key, item in value.items()]
    else:
        items = [dumps(item, indent, level + 1) for item in value]
    if not items or indent is None:
        return brackets[0] + ", ".join(items) + brackets[1]
    pad = "\n" + " " * (indent * level)
    return brackets[0] + pad + ("," + pad).join(items) + "\n" + " " * (indent * (level - 1)) + brackets[1]
