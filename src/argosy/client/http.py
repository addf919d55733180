"""HTTP/1.1 without input or output: heads and bodies to and from bytes (RFC 9110, RFC 9112).

Both executors share it, and it is the only place that knows the wire.
"""

from __future__ import annotations

from argosy.client.errors import ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")
_HEAD_LIMIT = 1 << 17


def quote(text: str) -> str:
    """Percent-encode everything but RFC 3986 unreserved characters and ``/``."""
    return "".join(chr(byte) if byte in _SAFE else f"%{byte:02X}" for byte in text.encode("utf-8", "surrogateescape"))


def target(path: str, query: Iterable[tuple[str, str]]) -> str:
    """Return the request target; a key may come more than once."""
    pairs = "&".join(f"{quote(key)}={quote(value).replace('/', '%2F')}" for key, value in query)
    return f"{path}?{pairs}" if pairs else path


def encode_head(method: str, request_target: str, headers: Mapping[str, str]) -> bytes:
    """Return the request line and the fields; raise ProtocolError if a value would smuggle a second field."""
    lines = [f"{method} {request_target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if any("\r" in line or "\n" in line for line in lines):
        raise ProtocolError("a header value holds a line end")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def encode_chunk(data: bytes) -> bytes:
    """Return one chunk of a chunked body; of ``b""`` the closing one."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class Head:
    """Status line and fields of an answer; field names are lower case."""

    __slots__ = ("headers", "reason", "status")

    def __init__(self, status: int, reason: str, headers: dict[str, str]) -> None:
        self.status = status
        self.reason = reason
        self.headers = headers

    @property
    def keeps_alive(self) -> bool:
        return self.headers.get("connection", "").lower() != "close"


def split_head(buffer: bytes) -> tuple[Head, bytes] | None:
    """Return the head and what follows it, or None while it is incomplete."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        if len(buffer) > _HEAD_LIMIT:
            raise ProtocolError("the answer's head is too long")
        return None
    return parse_head(buffer[:end]), buffer[end + 4 :]


def parse_head(raw: bytes) -> Head:
    """Parse a head without its closing empty line."""
    first, *fields = raw.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    code, _, reason = rest.partition(" ")
    if not version.startswith("HTTP/1.") or len(code) != 3 or not code.isdecimal():
        raise ProtocolError(f"malformed HTTP response {first[:80]!r}")
    headers: dict[str, str] = {}
    for field in fields:
        name, colon, value = field.partition(":")
        if not colon:
            raise ProtocolError(f"malformed HTTP field {field[:80]!r}")
        headers[name.strip().lower()] = value.strip()
    return Head(int(code), reason, headers)


class Body:
    """Decodes an answer's body as it arrives.

    ``feed`` returns payload; ``finished`` says that it is complete and ``rest`` holds what came after.
    """

    finished = False
    rest = b""

    def feed(self, data: bytes) -> bytes:
        raise NotImplementedError

    def end(self) -> None:
        """The peer closed: fine only where the body is complete or delimited by just that."""
        if not self.finished:
            raise ProtocolError("unexpected EOF")


class SizedBody(Body):
    """Content-Length."""

    def __init__(self, length: int) -> None:
        self._left = length
        self.finished = length == 0

    def feed(self, data: bytes) -> bytes:
        payload, self.rest = data[: self._left], data[self._left :]
        self._left -= len(payload)
        self.finished = self._left == 0
        return payload


class OpenBody(Body):
    """Delimited by the end of the connection."""

    def feed(self, data: bytes) -> bytes:
        return data

    def end(self) -> None:
        self.finished = True


class ChunkedBody(Body):
    """Transfer-Encoding: chunked (RFC 9112, 7.1); extensions and trailers are skipped."""

    def __init__(self) -> None:
        self._buffer = b""
        self._left = 0
        self._state = "size"

    def feed(self, data: bytes) -> bytes:
        buffer = self._buffer + data if self._buffer else data
        out: list[bytes] = []
        at = 0
        while not self.finished:
            if self._state == "data":
                piece = buffer[at : at + self._left]
                out.append(piece)
                at += len(piece)
                self._left -= len(piece)
                if self._left:
                    break
                self._state = "gap"
            line_end = buffer.find(b"\r\n", at)
            if line_end < 0:
                if len(buffer) - at > _HEAD_LIMIT:
                    raise ProtocolError("malformed chunked encoding")
                break
            line = buffer[at:line_end]
            at = line_end + 2
            self._advance(line)
        self._buffer = buffer[at:]
        if self.finished:
            self.rest, self._buffer = self._buffer, b""
        return out[0] if len(out) == 1 else b"".join(out)

    def _advance(self, line: bytes) -> None:
        """Take the line that ends a chunk ("gap"), opens one ("size") or belongs to the trailer."""
        if self._state == "gap":
            if line:
                raise ProtocolError("malformed chunked encoding")
            self._state = "size"
        elif self._state == "size":
            digits = line.split(b";", 1)[0].strip()
            try:
                self._left = int(digits, 16)
            except ValueError:
                raise ProtocolError("malformed chunked encoding") from None
            if self._left < 0:
                raise ProtocolError("malformed chunked encoding")
            self._state = "data" if self._left else "trailer"
        elif not line:
            self.finished = True


def body_of(method: str, head: Head) -> Body:
    """Choose the decoder for an answer (RFC 9112, 6.3)."""
    if method == "HEAD" or head.status in (204, 304):
        return SizedBody(0)
    if "chunked" in head.headers.get("transfer-encoding", "").lower():
        return ChunkedBody()
    length = head.headers.get("content-length")
    if length is None:
        return OpenBody()
    if not length.isdecimal():
        raise ProtocolError(f"malformed Content-Length {length[:40]!r}")
    return SizedBody(int(length))
