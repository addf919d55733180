"""aiohttp's client with our limits and Go's words. Loaded when the first request is made, closed when nobody uses it."""

from __future__ import annotations

import asyncio
import errno
import re
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from argosy.images.distribution import certificates, failures
from argosy.images.distribution.endpoints import Endpoint
from argosy.images.distribution.failures import RegistryError, TransportError
from argosy.images.distribution.proxies import Proxies
from argosy.images.distribution.settings import RegistrySettings

if TYPE_CHECKING:
    import aiohttp
    from aiohttp.abc import AbstractResolver

_REDIRECTS = (301, 302, 303, 307, 308)
_HOPS = 10
_BUFFER = 1 << 20
_ERROR_LIMIT = 1 << 16
_ADDRESS = re.compile(r"\('([^']+)', (\d+)")
_loading = threading.Lock()


def _load() -> Any:
    """Import aiohttp, which takes a while; meant for a thread. One at a time: see `api.light_aiohttp`."""
    with _loading:
        import aiohttp

        _ = aiohttp.ClientSession
        return aiohttp


class Answer:
    """An answer whose body is still on its way."""

    def __init__(self, http: Http, response: aiohttp.ClientResponse, method: str, url: str) -> None:
        self._http = http
        self._response = response
        self._method = method
        self.url = url
        """The last of its redirects."""
        self.status = response.status
        self.reason = response.reason or ""
        self.headers = response.headers

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes, all that is there at a time. Raises TransportError."""
        readany = self._response.content.readany
        while True:
            try:
                piece = await readany()
            except self._http.failures as error:
                if left := _left(self._response.content):
                    yield left
                raise self._http.failure(error, self._method, self.url, begun=True) from error
            if not piece:
                return
            yield piece

    async def body(self, limit: int) -> bytes:
        """Return a small body. Raises TransportError, also when it is longer than ``limit``."""
        parts, size = [], 0
        async for piece in self.pieces():
            size += len(piece)
            if size > limit:
                raise TransportError(f'{self._method.title()} "{self.url}": the answer is longer than {limit} bytes')
            parts.append(piece)
        return b"".join(parts)

    async def refusal(self) -> RegistryError:
        """Return the error that an answer with a status of 400 or more carries."""
        body = b"" if self._method == "HEAD" else await self.body(_ERROR_LIMIT)
        challenges = self.headers.getall("WWW-Authenticate", [])
        error = failures.refusal(self.status, self.reason, self.headers, body, challenges)
        error.reason = self.reason
        return error


class Http:
    """One set of connections for all operations that run at the same time. ``resolver`` makes what resolves names (tests)."""

    def __init__(self, *, settings: RegistrySettings, proxies: Proxies, resolver: Callable[[], AbstractResolver] | None = None) -> None:
        self._settings = settings
        self._proxies = proxies
        self._resolver = resolver
        self._users = 0
        self._session: aiohttp.ClientSession | None = None
        self._aiohttp: Any = None
        self._contexts: dict[Endpoint, ssl.SSLContext] = {}

    @asynccontextmanager
    async def using(self) -> AsyncIterator[Http]:
        """Keep connections open while the block runs; the last user closes them."""
        self._users += 1
        try:
            self._aiohttp = self._aiohttp or await asyncio.to_thread(_load)
            yield self
        finally:
            self._users -= 1
            if not self._users and self._session is not None:
                session, self._session = self._session, None
                self._contexts.clear()
                await session.close()

    @asynccontextmanager
    async def send(
        self,
        method: str,
        url: str,
        endpoint: Endpoint,
        *,
        headers: Mapping[str, str] | None = None,
        data: Any = None,
        wait: float = 0,
    ) -> AsyncIterator[Answer]:
        """Send one request, follow redirects, and yield the answer with its body still to come.

        ``wait``: seconds for the answer, where the usual are too few. Raises TransportError.
        """
        context = await self._context(endpoint)
        named = dict(headers or {})
        for _ in range(_HOPS):
            response = await self._once(method, url, context, named, data, wait)
            try:
                target = response.headers.get("Location", "")
                if response.status not in _REDIRECTS or not target or method not in ("GET", "HEAD"):
                    yield Answer(self, response, method, url)
                    return
            finally:
                response.release()
            following = urljoin(url, target)
            if urlsplit(following)[:2] != urlsplit(url)[:2]:
                # What is meant for the registry is not for where it stores its blobs.
                named.pop("Authorization", None)
            url = following
        raise TransportError(f'{method.title()} "{url}": stopped after {_HOPS} redirects')

    async def _once(
        self, method: str, url: str, context: ssl.SSLContext | bool, headers: Mapping[str, str], data: Any, wait: float
    ) -> aiohttp.ClientResponse:
        limits = self._settings.timeouts
        module = self._aiohttp
        timeout = module.ClientTimeout(total=None, connect=limits.connect, sock_connect=limits.connect, sock_read=wait or limits.answer)
        request = self._open().request(
            method,
            _encoded(url),
            headers=headers,
            data=data,
            ssl=context,
            proxy=self._proxies.choose(url),
            allow_redirects=False,
            timeout=timeout,
        )
        try:
            return await request
        except (module.ClientError, TimeoutError, ConnectionError, ssl.SSLError) as error:
            raise self.failure(error, method, url) from error

    def failure(self, error: BaseException, method: str, url: str, *, begun: bool = False) -> TransportError:
        """Return what to tell of a request that did not get through."""
        return TransportError(f'{method.title()} "{url}": {self._words(error, url, begun)}')

    @property
    def failures(self) -> tuple[type[BaseException], ...]:
        """What reading an answer raises when it breaks off."""
        return (self._aiohttp.ClientError, TimeoutError, ConnectionError, ssl.SSLError)

    async def _context(self, endpoint: Endpoint) -> ssl.SSLContext | bool:
        if not endpoint.url.startswith("https://"):
            # Should it redirect to https: the machine's authorities.
            return True
        if endpoint not in self._contexts:
            self._contexts[endpoint] = await asyncio.to_thread(certificates.context_for, endpoint, self._settings.certificates)
        return self._contexts[endpoint]

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            from argosy.images.distribution.resolver import ThreadResolver

            module = self._aiohttp
            connector = module.TCPConnector(limit=0, resolver=(self._resolver or ThreadResolver)())
            self._session = module.ClientSession(
                connector=connector,
                cookie_jar=module.DummyCookieJar(),
                auto_decompress=False,
                headers={"User-Agent": self._settings.user_agent, "Accept-Encoding": "identity"},
                read_bufsize=_BUFFER,
            )
        assert self._session is not None
        return self._session

    def _words(self, error: BaseException, url: str, begun: bool) -> str:
        """Return what Go's net/http says."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        module = self._aiohttp
        if isinstance(error, module.ClientConnectorDNSError):
            return f"dial tcp: lookup {host}: {_resolution(error)}"
        if isinstance(error, module.ClientConnectorCertificateError):
            inner = error.certificate_error
            return failures.of_certificate(inner, host) if isinstance(inner, ssl.SSLError) else f"tls: {inner}"
        if isinstance(error, module.ClientConnectorSSLError) and isinstance(error.os_error, ssl.SSLError):
            return failures.of_certificate(error.os_error, host)
        if isinstance(error, module.ClientConnectorError):
            found = _ADDRESS.search(str(error.os_error))
            where = f"{found[1]}:{found[2]}" if found else f"{host}:{port}"
            reason = {errno.ECONNREFUSED: "connection refused", errno.ENETUNREACH: "network is unreachable"}.get(error.os_error.errno or 0)
            return f"dial tcp {where}: connect: {reason or _plain(error.os_error)}"
        if isinstance(error, module.ConnectionTimeoutError):
            return f"dial tcp {host}:{port}: i/o timeout"
        if isinstance(error, TimeoutError):
            return "i/o timeout" if begun else "net/http: timeout awaiting response headers"
        if isinstance(error, module.ServerDisconnectedError):
            return "EOF"
        if isinstance(error, module.ClientPayloadError):
            return "unexpected EOF"
        if isinstance(error, ssl.SSLError):
            return failures.of_certificate(error, host)
        if isinstance(error, ConnectionError):
            return "read: connection reset by peer"
        return str(error) or type(error).__name__


def _left(content: Any) -> bytes:
    """Return what had come before a connection broke. aiohttp raises first and has no other way to it; without it a resumed
    transfer loses up to two buffers."""
    parts = list(getattr(content, "_buffer", ()))
    if parts:
        parts[0] = parts[0][getattr(content, "_buffer_offset", 0) :]
    return b"".join(parts)


def _encoded(url: str) -> Any:
    from yarl import URL

    return URL(url, encoded=True)


def _resolution(error: Any) -> str:
    text = str(error.os_error)
    for words in ("no such host", "Temporary failure in name resolution"):
        if words in text:
            return words.lower()
    return "no such host" if "not known" in text or "No address" in text else text


def _plain(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
