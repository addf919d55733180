"""A call of the Engine API as a value: what is asked and how the answer is read; nobody has sent it yet."""

from __future__ import annotations

from argosy.client.errors import StreamedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import IO, Any, Generic, TypeVar

    T = TypeVar("T")
    Payload = bytes | IO[bytes] | Iterable[bytes]
    QueryValue = str | int | bool | None

    class _Base(Generic[T]):
        pass
else:
    # typing costs 4 ms to import, a fifteenth of what `argosy ps` may take.
    class _Base:
        def __class_getitem__(cls, _item):
            return cls


class Call(_Base["T"]):
    """One request with a whole answer; ``decode`` makes the answer's body the value that the caller gets."""

    __slots__ = ("body", "decode", "headers", "method", "path", "query")

    def __init__(
        self,
        method: str,
        path: str,
        decode: Callable[[bytes], T],
        *,
        query: Mapping[str, QueryValue] | Iterable[tuple[str, str]] = (),
        body: Payload | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.method = method
        self.path = path
        self.decode = decode
        self.query = list(_pairs(query))
        self.body = body
        self.headers = dict(headers or {})


class Stream(Call["T"]):
    """A request whose answer goes on: each item is what ``decode`` makes of a line, or of a piece if ``lines`` is false."""

    __slots__ = ("lines",)

    def __init__(
        self,
        method: str,
        path: str,
        decode: Callable[[bytes], T],
        *,
        lines: bool = True,
        query: Mapping[str, QueryValue] | Iterable[tuple[str, str]] = (),
        body: Payload | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(method, path, decode, query=query, body=body, headers=headers)
        self.lines = lines


class Hijack(Call["bytes"]):
    """A request after which the connection belongs to the caller, both ways."""

    __slots__ = ()

    def __init__(self, path: str, *, query: Mapping[str, QueryValue] = {}, body: bytes | None = None) -> None:
        headers = {"Connection": "Upgrade", "Upgrade": "tcp"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        super().__init__("POST", path, raw, query=query, body=body, headers=headers)


def _pairs(query: Mapping[str, QueryValue] | Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Leave out what is None or false: the daemon's defaults are all false."""
    if not hasattr(query, "items"):
        yield from query
        return
    for key, value in query.items():
        if value is None or value is False:
            continue
        yield key, "1" if value is True else str(value)


def filters(wanted: Mapping[str, Iterable[str]] | None) -> str | None:
    """Return the ``filters`` parameter, None when there is nothing to filter by."""
    if not wanted:
        return None
    import json

    return json.dumps({key: list(values) for key, values in wanted.items()}, separators=(",", ":"))


def json_call(method: str, path: str, document: object, decode: Callable[[bytes], T], *, query: Mapping[str, QueryValue] = {}) -> Call[T]:
    """Return a call that carries a JSON document."""
    import json

    body = json.dumps(document, separators=(",", ":")).encode()
    return Call(method, path, decode, query=query, body=body, headers={"Content-Type": "application/json"})


def raw(body: bytes) -> bytes:
    return body


def nothing(_body: bytes) -> None:
    return None


def text(body: bytes) -> str:
    return body.decode("utf-8", "replace")


def document(body: bytes) -> dict[str, Any]:
    """Decode a JSON object."""
    import json

    value = json.loads(body)
    return value if isinstance(value, dict) else {}


def documents(body: bytes) -> list[dict[str, Any]]:
    """Decode a JSON array; Go writes an empty one as null at times."""
    import json

    return json.loads(body) or []


def progress(line: bytes) -> dict[str, Any]:
    """Decode one line of a progress stream; an error in it is raised as StreamedError."""
    value = document(line)
    if "errorDetail" in value or "error" in value:
        detail = value.get("errorDetail") or {}
        raise StreamedError(str(detail.get("message") or value.get("error")), int(detail.get("code") or 0))
    return value
