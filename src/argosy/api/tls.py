"""TLS on a listener, with half-close: a client that has no more input still receives all output.

asyncio's own TLS closes both directions at the client's ``close_notify``, which cuts the output of ``echo x | docker exec -i``
over TLS. TLS allows the other direction to go on (RFC 8446 6.1), and so does OpenSSL behind `ssl.SSLObject`.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable
from typing import Any

_log = logging.getLogger(__name__)

_READ = 1 << 18
HANDSHAKE_SECONDS = 30.0


class TlsLayer(asyncio.Protocol):
    """Stands between the raw transport and the protocol that ``make_inner`` gives."""

    def __init__(self, context: ssl.SSLContext, make_inner: Callable[[], asyncio.BaseProtocol]) -> None:
        self._context = context
        self._make_inner = make_inner
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._timer: asyncio.TimerHandle | None = None
        self.inner: Any = None
        self.reading_paused = False
        self._eof_seen = False
        self._raw: asyncio.Transport | None = None

    @property
    def raw(self) -> asyncio.Transport:
        if self._raw is None:
            raise ConnectionResetError("not connected")
        return self._raw

    # ------------------------------------------------------------------ from the raw transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._raw = transport
        self._timer = asyncio.get_running_loop().call_later(HANDSHAKE_SECONDS, transport.abort)

    def data_received(self, data: bytes) -> None:
        self._incoming.write(data)
        if self.inner is not None or self._handshake():
            self.read()

    def eof_received(self) -> bool:
        """The client's TCP half-close without ``close_notify``: taken as the end of input all the same."""
        self._incoming.write_eof()
        if self.inner is None:
            return False
        self.read()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        if self.inner is not None:
            self.inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self.inner.pause_writing()

    def resume_writing(self) -> None:
        self.inner.resume_writing()

    # ------------------------------------------------------------------ TLS

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _handshake(self) -> bool:
        try:
            self.object.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return False
        except ssl.SSLError as error:
            _log.debug("TLS handshake failed: %s", error)
            self._flush()
            self.raw.close()
            return False
        self._flush()
        self._stop_timer()
        self.inner = self._make_inner()
        self.inner.connection_made(TlsTransport(self))
        return True

    def read(self) -> None:
        """Give the inner protocol what can be decrypted."""
        while not self.reading_paused and not self._eof_seen and not self.raw.is_closing():
            try:
                data = self.object.read(_READ)
            except ssl.SSLWantReadError:
                break
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                data = b""
            except ssl.SSLError as error:
                _log.debug("TLS connection broken: %s", error)
                self.raw.abort()
                return
            if data:
                self.inner.data_received(data)
                continue
            self._eof_seen = True
            if not self.inner.eof_received():
                self.close()
        self._flush()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data).cast("B")
        while view:
            view = view[self.object.write(view) :]
        self._flush()

    def close(self) -> None:
        """Send ``close_notify`` and close when everything is out."""
        if self.raw.is_closing():
            return
        try:
            self.object.unwrap()
        except ssl.SSLError:
            pass
        self._flush()
        self.raw.close()

    def _flush(self) -> None:
        if self._outgoing.pending and not self.raw.is_closing():
            self.raw.write(self._outgoing.read())


class TlsTransport(asyncio.Transport):
    """The transport that the inner protocol sees."""

    def __init__(self, layer: TlsLayer) -> None:
        super().__init__()
        self._layer = layer

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name == "sslcontext":
            return self._layer.object.context
        if name == "ssl_object":
            return self._layer.object
        return self._layer.raw.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._layer.inner = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        protocol: asyncio.BaseProtocol = self._layer.inner
        return protocol

    def is_reading(self) -> bool:
        return not self._layer.reading_paused

    def pause_reading(self) -> None:
        self._layer.reading_paused = True
        self._layer.raw.pause_reading()

    def resume_reading(self) -> None:
        if self._layer.reading_paused and not self.is_closing():
            self._layer.reading_paused = False
            self._layer.raw.resume_reading()
            asyncio.get_running_loop().call_soon(self._layer.read)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self.is_closing():
            self._layer.write(data)

    def can_write_eof(self) -> bool:
        return False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._layer.raw.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        return self._layer.raw.get_write_buffer_size()

    def is_closing(self) -> bool:
        return self._layer.raw.is_closing()

    def close(self) -> None:
        self._layer.close()

    def abort(self) -> None:
        self._layer.raw.abort()
