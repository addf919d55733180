"""One request as the routes see it: path parts, query with Go's conversions, body."""

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs

import msgspec
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestPayloadError

from argosy.base.errors import InvalidParameterError, SystemFailureError
from argosy.schema import decode_with_fields

if TYPE_CHECKING:
    from multidict import MultiMapping

    from argosy.api.connection import Connection

T = TypeVar("T", bound=msgspec.Struct)

JSON_LIMIT = 16 << 20
"""Docker reads JSON bodies without a bound; ours keeps one client from filling memory."""
_FALSE = frozenset(("", "0", "no", "false", "none"))


class Request:
    """Made for every message by the connection; ``parts``, ``version`` and ``path`` are filled in by the dispatcher."""

    __slots__ = ("_query", "_task", "answering", "connection", "message", "parts", "path", "payload", "version", "writer")

    def __init__(self, message: RawRequestMessage, payload: StreamReader, connection: "Connection", writer: Any) -> None:
        self.message = message
        self.payload = payload
        self.connection = connection
        self.writer = writer
        self._task: Any = None
        self.version = 0
        self.path = ""
        self.parts: Mapping[str, str] = {}
        self.answering = False
        """The head of a streamed answer has been sent; an error can no longer become one of its own."""
        self._query: dict[str, list[str]] | None = None

    # What aiohttp's RequestHandler asks of a request.

    def _finish(self) -> None:
        pass

    def _cancel(self, error: BaseException) -> None:
        self.payload.set_exception(error)

    @property
    def remote(self) -> str:
        return str(self.connection.peername)

    @property
    def headers(self) -> "MultiMapping[str]":
        return self.message.headers

    @property
    def method(self) -> str:
        return self.message.method

    # The query.

    def _values(self, name: str) -> list[str]:
        if self._query is None:
            _, _, text = self.message.path.partition("?")
            self._query = parse_qs(text, keep_blank_values=True) if text else {}
            if "%00" in text and (wrong := [key for key, values in self._query.items() if any("\0" in value for value in values)]):
                # No path, name or word that a kernel is given may hold one (see `schema.decode` for bodies).
                raise InvalidParameterError(f"the parameter {wrong[0]} holds a NUL character")
        return self._query.get(name, [])

    def text(self, name: str, default: str = "") -> str:
        values = self._values(name)
        return values[0] if values else default

    def texts(self, name: str) -> list[str]:
        return list(self._values(name))

    def has(self, name: str) -> bool:
        return bool(self._values(name))

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a boolean as moby's ``httputils.BoolValue``: anything but ``"", 0, no, false, none`` is true."""
        values = self._values(name)
        return values[0].strip().lower() not in _FALSE if values else default

    def number(self, name: str, default: int | None = None) -> int | None:
        """Return an integer or the default when absent or empty. Raises InvalidParameterError in strconv's words."""
        text = self.text(name)
        return default if text == "" else to_int(text)

    # The body.

    @property
    def has_body(self) -> bool:
        length = self.headers.get("Content-Length")
        return self.message.chunked or (length is not None and length != "0")

    async def json(self, type_: type[T], *, optional: bool = False) -> T:
        """Return the body as a wire type. Raises InvalidParameterError; ``optional``: no body gives the defaults."""
        return (await self.json_with_fields(type_, optional=optional))[0]

    async def json_with_fields(self, type_: type[T], *, optional: bool = False) -> tuple[T, frozenset[str]]:
        """As `json`, and the names of the fields that were sent."""
        if optional and not self.has_body:
            return type_(), frozenset()
        if self.has_body or "Content-Type" in self.headers:
            check_json_type(self.headers.get("Content-Type", ""))
        data = await self.body(JSON_LIMIT)
        if not data and optional:
            return type_(), frozenset()
        return decode_with_fields(type_, data)

    async def body(self, limit: int) -> bytes:
        parts, size = [], 0
        async for chunk in self.chunks():
            size += len(chunk)
            if size > limit:
                raise InvalidParameterError(f"request body is larger than {limit} bytes")
            parts.append(chunk)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives, in pieces of up to half a megabyte.

        Raises SystemFailureError when the client goes away before its end.
        """
        if self.payload.is_eof() and not self.payload.total_bytes:
            return
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.connection.send_continue()
        readany = self.payload.readany
        try:
            while chunk := await readany():
                yield chunk
        except RequestPayloadError as error:
            raise InvalidParameterError(f"request body is broken: {error}") from error
        except (ConnectionError, RuntimeError) as error:
            raise SystemFailureError("unexpected EOF while reading the request body: the client went away") from error


def to_int(text: str) -> int:
    """Return an integer as Go's ``strconv.Atoi`` reads it."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit()):
        raise InvalidParameterError(f'strconv.Atoi: parsing "{text}": invalid syntax')
    value = int(text)
    if not -(2**63) <= value < 2**63:
        raise InvalidParameterError(f'strconv.Atoi: parsing "{text}": value out of range')
    return value


def check_json_type(content_type: str) -> None:
    """Raises InvalidParameterError in moby's words unless a body claims to be JSON."""
    if not content_type:
        raise InvalidParameterError("malformed Content-Type header (): mime: no media type")
    kind = content_type.partition(";")[0].strip().lower()
    if kind != "application/json":
        raise InvalidParameterError(f"unsupported Content-Type header ({content_type}): must be 'application/json'")
