"""JSON into wire types as leniently as Go's ``encoding/json``, and with its words when it does not fit.

Go matches keys without regard to case, ignores unknown ones, and lets ``null`` mean "not given" anywhere; clients rely on all
three, and none can be had from a strict decoder. So each type is compiled once into closures that walk the decoded JSON.
Words: https://pkg.go.dev/encoding/json#UnmarshalTypeError, as a Docker 28 built with Go 1.27 shows them.
"""

import types
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from argosy.base.errors import InvalidParameterError

T = TypeVar("T", bound=msgspec.Struct)
_Reader = Callable[[Any], Any]

_NUL = "NUL"
_EMPTY = "invalid JSON: got EOF while reading request body"


class Mismatch(Exception):
    """A JSON value of the wrong kind; the path grows while the error travels outwards."""

    def __init__(self, kind: str, go_type: str) -> None:
        self.kind, self.go_type, self.path = kind, go_type, list[str]()

    def message(self) -> str:
        if not self.path:
            return f"json: cannot unmarshal {self.kind} into Go value of type {self.go_type}"
        where = "." + ".".join(part.replace("~", "~0").replace("/", "~1") for part in self.path)
        if self.kind == _NUL:
            return f"{where} holds a NUL character"
        what = "" if self.path[-1].isdecimal() else "Go struct field "
        return f"json: cannot unmarshal {self.kind} into {what}{where} of type {self.go_type}"


def decode(type_: type[T], data: bytes) -> T:
    """Return the value of a request body. Raises InvalidParameterError in Docker's words, also for an empty body."""
    return decode_with_fields(type_, data)[0]


def decode_with_fields(type_: type[T], data: bytes) -> tuple[T, frozenset[str]]:
    """As `decode`, and the names of the fields that were sent with a value other than null."""
    tree = parse(data)
    if tree is None:
        return type_(), frozenset()
    try:
        fields = _fields_reader(type_)(tree)
    except Mismatch as error:
        raise InvalidParameterError(f"invalid JSON: {error.message()}") from None
    return type_(**fields), frozenset(fields)


def parse(data: bytes) -> Any:
    """Return plain JSON values. Raises InvalidParameterError in the words of Go's decoder."""
    if not data.strip():
        raise InvalidParameterError(_EMPTY)
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise InvalidParameterError(_syntax_words(data, str(error))) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise InvalidParameterError(f"invalid JSON: {error}") from None


def _syntax_words(data: bytes, reason: str) -> str:
    if "truncated" in reason:
        return "invalid JSON: unexpected EOF"
    if "trailing" in reason:
        return "unexpected content after JSON"
    _, _, place = reason.rpartition("(byte ")
    offset = place.rstrip(")")
    if offset.isdecimal() and int(offset) < len(data):
        at = int(offset)
        context = "looking for beginning of value" if not data[:at].strip() or data[:at].rstrip()[-1:] in b":,[" else "in JSON"
        return f"invalid JSON: invalid character '{chr(data[at])}' {context}"
    return f"invalid JSON: {reason}"


def _kind(value: Any, *, exact: bool = False) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int | float):
        return f"number {value}" if exact else "number"
    return "array" if isinstance(value, list) else "object"


def _go_name(annotation: Any) -> str:
    """Return how Go would write the type."""
    if get_origin(annotation) is Annotated:
        title = next((m.title for m in annotation.__metadata__ if isinstance(m, msgspec.Meta) and m.title), None)
        return "[]string" if title == "strslice" else str(title)
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is tuple:
        return "[]" + _go_name(args[0])
    if origin is not None and issubclass(origin, Mapping):
        value = "interface {}" if args[1] is Any else _go_name(args[1])
        return f"map[string]{value}"
    plain = {str: "string", bool: "bool", int: "int64", float: "float64", Any: "interface {}"}
    return plain.get(annotation) or str(getattr(annotation, "go_name", annotation.__name__))


@cache
def _reader(annotation: Any) -> _Reader:
    """Compile one annotation."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return _reader(next(arg for arg in args if arg is not type(None)))
    if origin is Annotated:
        return _read_words if args[0] == tuple[str, ...] else _integer_reader(annotation)
    if origin is tuple:
        return _list_reader(args[0], _go_name(annotation), None if args[-1] is Ellipsis else len(args))
    if origin is not None and issubclass(origin, Mapping):
        return _map_reader(args[1], _go_name(annotation))
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        fields = _fields_reader(annotation)
        return lambda value: annotation(**fields(value))
    if annotation is Any:
        return lambda value: value
    return _scalar_reader(annotation, _go_name(annotation))


def _scalar_reader(type_: type, go_type: str) -> _Reader:
    accepted = (int, float) if type_ is float else (type_,)

    def read(value: Any) -> Any:
        if type(value) not in accepted:
            raise Mismatch(_kind(value, exact=type_ is int), go_type)
        return value

    return _read_text if type_ is str else read


def _read_text(value: Any) -> str:
    """No name, path, variable or word that a kernel is given may hold a NUL: better refused here than where it is used."""
    if type(value) is not str:
        raise Mismatch(_kind(value), "string")
    if "\0" in value:
        raise Mismatch(_NUL, "string")
    return value


def _integer_reader(annotation: Any) -> _Reader:
    meta = annotation.__metadata__[0]
    low, high, go_type = meta.ge, meta.lt, _go_name(annotation)

    def read(value: Any) -> int:
        if type(value) is not int or not low <= value < high:
            raise Mismatch(_kind(value, exact=True), go_type)
        return value

    return read


def _read_words(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (_read_text(value),)
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise Mismatch(_kind(value), "string")
    return tuple(_read_text(word) for word in value)


def _list_reader(element: Any, go_type: str, length: int | None) -> _Reader:
    # A nil slice in a slice is an empty one to whoever reads it.
    read_one, absent = _reader(element), tuple if get_origin(element) is tuple else _zero(element)

    def read(value: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise Mismatch(_kind(value), go_type)
        done: list[Any] = []
        for item in value[:length]:
            try:
                done.append(absent() if item is None else read_one(item))
            except Mismatch as error:
                error.path.insert(0, str(len(done)))
                raise
        # A Go array takes what fits and zeroes the rest.
        done.extend(absent() for _ in range((length or 0) - len(done)))
        return tuple(done)

    return read


def _map_reader(element: Any, go_type: str) -> _Reader:
    read_one, absent = _reader(element), _zero(element)

    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise Mismatch(_kind(value), go_type)
        done: dict[str, Any] = {}
        for key, item in value.items():
            try:
                done[_read_text(key)] = absent() if item is None else read_one(item)
            except Mismatch as error:
                error.path.insert(0, key)
                raise
        return done

    return read


def _zero(annotation: Any) -> Callable[[], Any]:
    """Return what makes Go's zero value of a type (for ``null`` inside a list or map)."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _zero(get_args(annotation)[0])
    if origin is not None or annotation is Any:
        return lambda: None
    made: Callable[[], Any] = annotation
    return made


@cache
def _fields_reader(type_: type[msgspec.Struct]) -> Callable[[Any], dict[str, Any]]:
    hints = get_type_hints(type_, include_extras=True)
    table = {field.encode_name: (field.name, _reader(hints[field.name])) for field in msgspec.structs.fields(type_)}
    folded = {key.lower(): entry for key, entry in table.items()}
    go_type = _go_name(type_)

    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise Mismatch(_kind(value), go_type)
        done: dict[str, Any] = {}
        for key, item in value.items():
            entry = table.get(key) or folded.get(key.lower())
            if entry is None or item is None:
                continue
            try:
                done[entry[0]] = entry[1](item)
            except Mismatch as error:
                error.path.insert(0, key)
                raise
        return done

    return read
