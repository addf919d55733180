"""Kinds of flag values: how a text becomes a value, and how the kind is called in help. Refusals in Go's words."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Parser = Callable[[str], object]

_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))


class Kind:
    """``gather`` kinds keep every occurrence; ``implied`` is the value of a flag without one (``--rm``)."""

    __slots__ = ("gather", "implied", "label", "parse", "split")

    def __init__(self, label: str, parse: Parser, *, gather: bool = False, implied: str | None = None, split: bool = False) -> None:
        self.label = label
        self.parse = parse
        self.gather = gather
        self.implied = implied
        self.split = split

    def checked(self, check: Callable[[str], object], label: str = "") -> Kind:
        """Return this kind with another parser, for a list whose items have a grammar of their own."""
        return Kind(label or self.label, check, gather=self.gather, implied=self.implied, split=self.split)


def parse_bool(text: str) -> bool:
    """Go's strconv.ParseBool."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(f'strconv.ParseBool: parsing "{text}": invalid syntax')


def _integer(low: int, high: int, function: str) -> Parser:
    def parse(text: str) -> int:
        bare = text[1:] if text[:1] in ("-", "+") and function != "ParseUint" else text
        try:
            value = int(text, 0) if bare[:1].isdigit() and bare.isascii() else None
        except ValueError:
            # Go takes 010 for octal; so do we.
            value = int(text, 8) if bare.isdigit() and not set(bare) & {"8", "9"} else None
        if value is None:
            raise ValueError(f'strconv.{function}: parsing "{text}": invalid syntax')
        if not low <= value <= high:
            raise ValueError(f'strconv.{function}: parsing "{text}": value out of range')
        return value

    return parse


def parse_bytes(text: str) -> int:
    """docker's MemBytes: ``64m``; raises ValueError in go-units' words."""
    from argosy.base.errors import InvalidParameterError
    from argosy.base.units import parse_size

    try:
        return parse_size(text)
    except InvalidParameterError as error:
        raise ValueError(str(error)) from None


def parse_swap(text: str) -> int:
    """As bytes, and ``-1`` for no limit."""
    return -1 if text == "-1" else parse_bytes(text)


def parse_duration(text: str) -> int:
    from argosy.base.errors import InvalidParameterError
    from argosy.base.units import parse_duration as parse

    try:
        return parse(text)
    except InvalidParameterError as error:
        raise ValueError(str(error)) from None


def parse_cpus(text: str) -> int:
    """docker's NanoCPUs: a decimal number as billionths, without losing digits to a float."""
    from fractions import Fraction

    try:
        value = Fraction(text) * 1_000_000_000
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"Failed to parse {text} as a rational number".replace("Failed", "failed")) from None
    if value.denominator != 1:
        raise ValueError("value is too precise")
    return int(value)


def parse_filter(text: str) -> tuple[str, str]:
    """docker's filter: ``name=value``, the name in lower case."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError("bad format of filter (expected name=value)")
    return name.strip().lower(), value.strip()


def split_csv(text: str) -> list[str]:
    """A field of comma-separated values in which quotes protect commas (RFC 4180, as Go's encoding/csv)."""
    if '"' not in text:
        return text.split(",") if text else []
    import csv

    return next(csv.reader([text]), [])


BOOL = Kind("", parse_bool, implied="true")
STRING = Kind("string", str)
INT = Kind("int", _integer(-(2**63), 2**63 - 1, "ParseInt"))
UINT = Kind("uint", _integer(0, 2**64 - 1, "ParseUint"))
UINT16 = Kind("uint16", _integer(0, 2**16 - 1, "ParseUint"))
BYTES = Kind("bytes", parse_bytes)
SWAP = Kind("bytes", parse_swap)
DURATION = Kind("duration", parse_duration)
DECIMAL = Kind("decimal", parse_cpus)
LIST = Kind("list", str, gather=True)
STRINGS = Kind("strings", str, gather=True, split=True)
MAP = Kind("map", str, gather=True)
FILTER = Kind("filter", parse_filter, gather=True)
