"""The server: listeners and connections around a dispatcher."""

import asyncio
import functools
import logging
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from aiohttp.web_server import Server

from argosy.base.errors import InvalidParameterError, SystemFailureError
from argosy.registry.config import Tls
from argosy.registry.http.answer import AnyAnswer
from argosy.registry.http.connection import Connection
from argosy.registry.http.request import Request

_log = logging.getLogger(__name__)

READ_BUFFER = 1 << 20
"""Uploads are read ahead by this much, so that their consumer gets large pieces."""
_HEAD_LIMIT = 1 << 16
_BACKLOG = 1024
_IDLE_SECONDS = 300.0


class RegistryServer:
    def __init__(self, handle: Callable[[Request], Awaitable[AnyAnswer]]) -> None:
        self._handle = handle
        self._http: Server | None = None
        self._listeners: list[asyncio.Server] = []
        self._contexts: list[tuple[Tls, ssl.SSLContext]] = []

    async def listen(self, address: str, tls: Tls | None) -> list[str]:
        """Begin to serve ``HOST:PORT`` (empty host: all); return the addresses with their ports. Raises SystemFailureError."""
        if self._http is None:
            handler = cast(Callable[[Any], Awaitable[Any]], self._handle)
            self._http = Server(handler, request_factory=_make_request, handler_cancellation=False)
        factory = functools.partial(
            Connection,
            self._http,
            loop=asyncio.get_running_loop(),
            access_log=cast(Any, None),
            auto_decompress=False,
            keepalive_timeout=_IDLE_SECONDS,
            read_bufsize=READ_BUFFER,
            max_line_size=_HEAD_LIMIT,
            max_field_size=_HEAD_LIMIT,
        )
        host, port = split_address(address)
        context = self._context(tls) if tls else None
        try:
            made = await asyncio.get_running_loop().create_server(factory, host or None, port, ssl=context, backlog=_BACKLOG)
        except OSError as error:
            raise SystemFailureError(f"cannot listen on {address}: {error.strerror or error}") from error
        self._listeners.append(made)
        scheme = "https" if tls else "http"
        return [f"{scheme}://{_shown(item.getsockname())}" for item in made.sockets]

    def _context(self, tls: Tls) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(tls.certificate, tls.key)
            if tls.client_ca:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(tls.client_ca)
        except (OSError, ssl.SSLError) as error:
            raise InvalidParameterError(f"cannot use the certificate {tls.certificate} with the key {tls.key}: {error}") from error
        self._contexts.append((tls, context))
        return context

    def reload(self) -> None:
        """Take renewed certificates for connections to come."""
        for tls, context in self._contexts:
            try:
                context.load_cert_chain(tls.certificate, tls.key)
            except (OSError, ssl.SSLError) as error:
                _log.error("the certificate %s is kept as it was: %s", tls.certificate, error)

    async def close(self, grace: float) -> None:
        """Stop accepting, let requests finish for ``grace`` seconds, close."""
        for listener in self._listeners:
            listener.close()
        if self._http is not None:
            self._http.pre_shutdown()
            await self._http.shutdown(grace)


def split_address(address: str) -> tuple[str, int]:
    """Return host and port. Raises InvalidParameterError."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise InvalidParameterError(f"invalid address {address!r}: use HOST:PORT, or :PORT for all addresses")
    return host.strip("[]"), int(port)


def is_loopback(addresses: Sequence[str]) -> bool:
    """Say whether nobody outside this machine reaches the addresses."""
    return all(split_address(address)[0] in ("localhost", "::1") or address.startswith("127.") for address in addresses)


def _shown(name: Any) -> str:
    return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"


def _make_request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> Any:
    return Request(message, payload, protocol, writer)
