"""What looks at a new connection's first bytes and says which protocol it speaks.

HTTP/1 goes to `Connection`. HTTP/2 (gRPC of BuildKit) will go elsewhere one day; for now its client is told so in HTTP/2.
"""

import asyncio
import struct
from collections.abc import Callable

_H2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_H2_WORDS = b"Argosy does not speak HTTP/2 here yet; use HTTP/1.1 (docker build: set DOCKER_BUILDKIT=0)"
_HTTP_1_1_REQUIRED = 0xD
_SETTINGS, _GOAWAY = 0x4, 0x7


def _frame(kind: int, payload: bytes) -> bytes:
    """Return an HTTP/2 frame on stream 0 (RFC 9113 section 4.1)."""
    return struct.pack(">I", len(payload))[1:] + bytes((kind, 0)) + b"\0\0\0\0" + payload


H2_REFUSAL = _frame(_SETTINGS, b"") + _frame(_GOAWAY, struct.pack(">II", 0, _HTTP_1_1_REQUIRED) + _H2_WORDS)


class Seam(asyncio.Protocol):
    """The first protocol of every connection; it leaves as soon as it knows."""

    def __init__(self, make_http1: Callable[[], asyncio.Protocol], waiting: "set[asyncio.Transport]") -> None:
        self._make_http1 = make_http1
        self._waiting = waiting
        self._seen = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._waiting.add(transport)

    def data_received(self, data: bytes) -> None:
        transport, self._seen = self._transport, self._seen + data
        if transport is None:
            return
        if not self._seen.startswith(b"PRI"):
            if _H2_PREFACE.startswith(self._seen):
                return
            self._waiting.discard(transport)
            http1 = self._make_http1()
            transport.set_protocol(http1)
            http1.connection_made(transport)
            http1.data_received(self._seen)
        else:
            transport.write(H2_REFUSAL)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._waiting.discard(self._transport)
