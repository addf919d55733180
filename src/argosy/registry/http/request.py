"""One request as the handlers see it."""

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestPayloadError

from argosy.registry.errors import RegistryError

if TYPE_CHECKING:
    from argosy.registry.auth.grant import Grant
    from argosy.registry.http.connection import Connection


class BodyCutOff(Exception):
    """The client went away before the end of its body."""


class Request:
    """Made for every message by the connection; ``grant`` is filled in by the dispatcher."""

    __slots__ = (
        "_cut_off",
        "_query", "_task", "answering", "connection", "grant", "headers", "message", "method", "path", "payload", "query_text", "writer",
    )  # fmt: skip

    def __init__(self, message: RawRequestMessage, payload: StreamReader, connection: "Connection", writer: Any) -> None:
        self.message = message
        self.payload = payload
        self.connection = connection
        self.writer = writer
        self.method = message.method
        self.headers: Mapping[str, str] = message.headers
        path, _, self.query_text = message.path.partition("?")
        self.path = unquote(path) if "%" in path else path
        self.grant: Grant | None = None
        self.answering = False
        """The answer's head is out: an error can no longer become an answer of its own."""
        self._cut_off = False
        self._query: dict[str, list[str]] | None = None
        self._task: Any = None

    # What aiohttp's RequestHandler asks of a request.

    def _finish(self) -> None:
        pass

    def _cancel(self, error: BaseException) -> None:
        """The client has left. What came before is still to be read: an upload goes on there."""
        self._cut_off = not self.payload.is_eof()
        if self._cut_off:
            self.payload.feed_eof()

    def allows(self, name: str, action: str) -> bool:
        """Say whether the sender may do it; nobody may before the gate has been passed."""
        return self.grant is not None and self.grant.allows(name, action)

    @property
    def user(self) -> str:
        return self.grant.user if self.grant is not None else ""

    @property
    def remote(self) -> str:
        peer = self.connection.peername
        return str(peer[0]) if isinstance(peer, tuple) else "unix"

    @property
    def scheme(self) -> str:
        """What the client speaks: to us, or to the proxy in front of us as it tells."""
        forwarded = self.headers.get("X-Forwarded-Proto", "")
        if forwarded in ("http", "https"):
            return forwarded
        return "https" if self.connection.ssl_context is not None else "http"

    # The head.

    def query(self, name: str) -> str:
        """Return a parameter's first value, empty without one."""
        values = self.queries(name)
        return values[0] if values else ""

    def queries(self, name: str) -> list[str]:
        if self._query is None:
            self._query = parse_qs(self.query_text, keep_blank_values=True) if self.query_text else {}
        return self._query.get(name, [])

    @property
    def length(self) -> int | None:
        """Content-Length; None without one."""
        text = self.headers.get("Content-Length", "")
        return int(text) if text.isascii() and text.isdigit() else None

    @property
    def has_body(self) -> bool:
        return self.message.chunked or bool(self.length)

    # The body.

    async def body(self, limit: int) -> bytes:
        """Return the whole body. Raises RegistryError with 413 when it is longer than ``limit``."""
        if (self.length or 0) > limit:
            raise _too_large(limit)
        parts, size = [], 0
        async for chunk in self.chunks():
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            parts.append(chunk)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives. Raises BodyCutOff when the client goes away before its end."""
        if self.headers.get("Expect", "").lower() == "100-continue" and not self.payload.total_bytes:
            self.connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        readany = self.payload.readany
        try:
            while chunk := await readany():
                yield chunk
            if self._cut_off:
                raise BodyCutOff("the client went away")
        except (RequestPayloadError, ConnectionError, RuntimeError) as error:
            raise BodyCutOff(str(error)) from error


def _too_large(limit: int) -> RegistryError:
    return RegistryError("SIZE_INVALID", f"the body is larger than {limit} bytes", status=413)
