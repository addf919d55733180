"""What a template can call: Go's built-in functions and docker's (github.com/docker/cli/templates)."""

from __future__ import annotations

from argosy.cli.template.quoting import quote
from argosy.cli.template.values import Missing, NoValue, Record, show, to_json, truth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class CallError(Exception):
    """A call that cannot be made; the evaluator says where."""


def _comparable(value: object) -> object:
    return "" if isinstance(value, Missing | NoValue) else value


def _same_kind(a: object, b: object) -> None:
    kinds = [
        "bool"
        if isinstance(value, bool)
        else "number"
        if isinstance(value, int | float)
        else "string"
        if isinstance(value, str)
        else "other"
        for value in (a, b)
    ]
    if kinds[0] != kinds[1]:
        raise CallError("incompatible types for comparison")


def equal(first: object, *others: object) -> bool:
    """True if the first equals any of the others."""
    if not others:
        raise CallError("missing argument for comparison")
    for other in others:
        if first is None or other is None:
            if truth(first) == truth(other) and not truth(first):
                return True
            continue
        a, b = _comparable(first), _comparable(other)
        _same_kind(a, b)
        if a == b:
            return True
    return False


def _less(a: object, b: object) -> bool:
    a, b = _comparable(a), _comparable(b)
    _same_kind(a, b)
    if isinstance(a, bool) or not isinstance(a, int | float | str):
        raise CallError("invalid type for comparison")
    return a < b  # type: ignore[operator]


def index(of: object, *keys: object) -> object:
    """Return ``of[k1][k2]…``; a key that a map lacks gives its zero value, an index out of range is an error."""
    for key in keys:
        if isinstance(of, dict):
            value = of.get(str(key), Missing(str(key)))
            of = "" if isinstance(value, Missing) and (not of or all(isinstance(item, str) for item in of.values())) else value
        elif isinstance(of, list | tuple | str):
            if not isinstance(key, int) or isinstance(key, bool):
                raise CallError(f"cannot index slice/array with type {_type(key)}")
            if not 0 <= key < len(of):
                raise CallError(f"error calling index: index out of range: {key}")
            of = ord(of[key]) if isinstance(of, str) else of[key]
        elif isinstance(of, Record):
            raise CallError(f"error calling index: can't index item of type {_type(of)}")
        else:
            raise CallError(
                "error calling index: index of untyped nil"
                if of is None or isinstance(of, Missing)
                else f"error calling index: can't index item of type {_type(of)}"
            )
    return of


def _type(value: object) -> str:
    return {bool: "bool", int: "int", float: "float64", str: "string", dict: "map[string]interface {}", list: "[]interface {}"}.get(
        type(value), "nil"
    )


def length(of: object) -> int:
    if isinstance(of, Missing):
        return 0
    if not isinstance(of, str | list | tuple | dict):
        raise CallError(f"error calling len: len of type {_type(of)}")
    return len(of.encode()) if isinstance(of, str) else len(of)


def slice_(of: object, *bounds: object) -> object:
    if not isinstance(of, str | list):
        raise CallError(f"error calling slice: can't slice item of type {_type(of)}")
    ends = [bound for bound in bounds if isinstance(bound, int)]
    if len(ends) != len(bounds) or len(ends) > 2 or any(not 0 <= end <= len(of) for end in ends):
        raise CallError("error calling slice: index out of range")
    low, high = (*ends, *(0, len(of))[len(ends) :])
    return of[low:high]


def println(*values: object) -> str:
    return " ".join(show(value) for value in values) + "\n"


def print_(*values: object) -> str:
    """Go's Sprint: a space only between operands neither of which is text."""
    out = ""
    for position, value in enumerate(values):
        if position and not isinstance(value, str) and not isinstance(values[position - 1], str):
            out += " "
        out += show(value)
    return out


def printf(layout: object, *values: object) -> str:
    """Go's Sprintf with the verbs that make sense here."""
    import re

    queue = list(values)

    def one(match: re.Match[str]) -> str:
        flags, width, precision, verb = match.groups()
        if verb == "%":
            return "%"
        if width == "*":
            width = str(queue.pop(0)) if queue else ""
        if not queue:
            return f"%!{verb}(MISSING)"
        text = _verb(verb, queue.pop(0), flags, precision)
        room = int(width or 0)
        if "-" in flags:
            return text.ljust(room)
        return text.zfill(room) if "0" in flags and verb in "dfxXobeg" else text.rjust(room)

    text = re.sub(r"%([-+# 0]*)(\d+|\*)?(?:\.(\d*))?([a-zA-Z%])", one, str(layout))
    if queue:
        text += "%!(EXTRA " + ", ".join(f"{_type(value)}={show(value)}" for value in queue) + ")"
    return text


def _verb(verb: str, value: object, flags: str, precision: str | None) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if verb in ("d", "x", "X", "o", "b") and isinstance(value, int) and not isinstance(value, bool):
        return ("+" if "+" in flags and value >= 0 else "") + format(value, verb)
    if verb in ("f", "e", "g", "F") and number:
        return format(value, f".{precision or 6}{verb}" if verb != "g" or precision else "g")
    if verb == "q" and isinstance(value, str):
        return quote(value)
    if verb in ("x", "X") and isinstance(value, str):
        return value.encode().hex() if verb == "x" else value.encode().hex().upper()
    if verb == "t" and isinstance(value, bool):
        return show(value)
    if verb == "c" and isinstance(value, int):
        return chr(value)
    if verb == "T":
        return _type(value)
    if verb in ("s", "v"):
        text = show(value, True)
        if verb == "s" and number:
            return f"%!s({_type(value)}={text})"
        return text[: int(precision)] if precision and verb == "s" else text
    return f"%!{verb}({_type(value)}={show(value)})"


def _text(value: object, name: str) -> str:
    if isinstance(value, Missing | NoValue):
        return ""
    if not isinstance(value, str):
        raise CallError(f"wrong type for value; expected string; got {_type(value)}")
    return value


def join(items: object, separator: object) -> str:
    if isinstance(items, Missing):
        return ""
    if not isinstance(items, list | tuple):
        raise CallError(f"wrong type for value; expected []string; got {_type(items)}")
    return str(separator).join(show(item) for item in items)


def title(text: object) -> str:
    """Go's strings.Title: the first letter of each word, the rest as it is."""
    out, before = [], " "
    for char in _text(text, "title"):
        out.append(char.upper() if not (before.isalnum() or before in "_'") else char)
        before = char
    return "".join(out)


def truncate(text: object, size: object) -> str:
    return _text(text, "truncate")[: int(str(size))]


def pad(text: object, before: object, after: object) -> str:
    """docker's: spaces around, nothing around nothing."""
    value = _text(text, "pad")
    return " " * int(str(before)) + value + " " * int(str(after)) if value else value


def html(*values: object) -> str:
    from html import escape

    return escape(print_(*values)).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")


def urlquery(*values: object) -> str:
    from urllib.parse import quote_plus

    return quote_plus(print_(*values))


FUNCTIONS: dict[str, Callable[..., object] | None] = {
    # Lazy ones are the evaluator's: they must not evaluate what they do not need.
    "and": None,
    "or": None,
    "not": lambda value: not truth(value),
    "eq": equal,
    "ne": lambda a, b: not equal(a, b),
    "lt": _less,
    "le": lambda a, b: _less(a, b) or equal(a, b),
    "gt": lambda a, b: not (_less(a, b) or equal(a, b)),
    "ge": lambda a, b: not _less(a, b),
    "index": index,
    "slice": slice_,
    "len": length,
    "print": print_,
    "printf": printf,
    "println": println,
    "html": html,
    "urlquery": urlquery,
    "js": lambda value: to_json(value)[1:-1],
    "json": to_json,
    "split": lambda text, separator: _text(text, "split").split(str(separator)) if separator else list(_text(text, "split")),
    "join": join,
    "title": title,
    "lower": lambda text: _text(text, "lower").lower(),
    "upper": lambda text: _text(text, "upper").upper(),
    "pad": pad,
    "truncate": truncate,
}
