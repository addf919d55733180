"""The registry behind: manifests and blobs by its HTTP API, with its ways to ask for credentials."""

import base64
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from argosy.registry import manifest as manifests
from argosy.registry.errors import RegistryError
from argosy.registry.proxy import challenge as challenges

_ACCEPT = ", ".join(manifests.KNOWN)
_CONNECT_SECONDS = 10.0
_SILENCE_SECONDS = 30.0
_TOKEN_SECONDS = 60.0
"""How long a token lasts that does not say (token.md)."""


class Unreachable(Exception):
    """The registry behind does not answer, or answers that it cannot."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A manifest from behind; ``data`` is None when it is the one we have."""

    data: bytes | None
    media_type: str = ""


class Upstream:
    def __init__(self, *, url: str, user: str, password: str, tls: ssl.SSLContext | bool) -> None:
        self._url = url.rstrip("/")
        self._user, self._password = user, password
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None
        self._tokens: dict[str, tuple[str, float]] = {}
        self._basic = False

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def manifest(self, name: str, reference: str, have: str) -> Fetched | None:
        """Return a manifest, None when there is none; ``have`` is the digest of the one that we have. Raises Unreachable."""
        headers = {"Accept": _ACCEPT, **({"If-None-Match": f'"{have}"'} if have else {})}
        async with self._get(name, f"/v2/{name}/manifests/{reference}", headers) as answer:
            if answer.status == 304 or (have and answer.headers.get("Docker-Content-Digest") == have):
                return Fetched(None)
            if answer.status == 404:
                return None
            _check(answer)
            data = await answer.content.read(manifests.LIMIT + 1)
            while len(data) <= manifests.LIMIT and (more := await answer.content.read(manifests.LIMIT)):
                data += more
            if len(data) > manifests.LIMIT:
                raise RegistryError("SIZE_INVALID", f"the manifest {name}:{reference} of {self._url} is too large")
            return Fetched(data, answer.headers.get("Content-Type", ""))

    async def blob_size(self, name: str, digest: str) -> int | None:
        """Return a blob's size, None when there is none. Raises Unreachable."""
        async with self._get(name, f"/v2/{name}/blobs/{digest}", {}, method="HEAD") as answer:
            if answer.status == 404:
                return None
            _check(answer)
            return int(answer.headers.get("Content-Length", "0"))

    @asynccontextmanager
    async def blob(self, name: str, digest: str, offset: int) -> AsyncIterator[tuple[int, AsyncIterator[bytes]] | None]:
        """Yield (where the pieces begin, pieces) of a blob, None when there is none. Raises Unreachable."""
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        async with self._get(name, f"/v2/{name}/blobs/{digest}", headers) as answer:
            if answer.status == 404:
                yield None
                return
            _check(answer)
            yield (offset if answer.status == 206 else 0), answer.content.iter_any()

    @asynccontextmanager
    async def _get(self, name: str, path: str, headers: dict[str, str], method: str = "GET") -> AsyncIterator[aiohttp.ClientResponse]:
        """Ask; once more with credentials when they are wanted."""
        try:
            async with self._request(method, path, {**headers, **self._known(name)}) as answer:
                if answer.status != 401:
                    yield answer
                    return
                wanted = challenges.parse(answer.headers.get("WWW-Authenticate", ""))
            async with self._request(method, path, {**headers, **await self._meet(name, wanted)}) as answer:
                yield answer
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(f"{self._url}: {error or type(error).__name__}") from error

    def _request(self, method: str, path: str, headers: dict[str, str]) -> Any:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=_SILENCE_SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout, auto_decompress=False, read_bufsize=1 << 20)
        # A redirect to where the blobs lie must not take our credentials along: aiohttp drops them for another host.
        return self._session.request(method, self._url + path, headers=headers, ssl=self._tls)

    def _known(self, name: str) -> dict[str, str]:
        if self._basic:
            return self._with_password()
        token, expires = self._tokens.get(name, ("", 0.0))
        return {"Authorization": f"Bearer {token}"} if token and time.monotonic() < expires else {}

    def _with_password(self) -> dict[str, str]:
        pair = base64.b64encode(f"{self._user}:{self._password}".encode()).decode()
        return {"Authorization": f"Basic {pair}"} if self._user else {}

    async def _meet(self, name: str, wanted: challenges.Challenge | None) -> dict[str, str]:
        if wanted is None or (wanted.scheme == "basic" and not self._user):
            raise Unreachable(f"{self._url} wants credentials: give --proxy-user and --proxy-password-file")
        if wanted.scheme == "basic":
            self._basic = True
            return self._with_password()
        url = challenges.token_url(wanted, name, self._user)
        if url is None or self._session is None:
            raise Unreachable(f"{self._url} wants a token and does not say where to get it")
        async with self._session.get(url, headers=self._with_password(), ssl=self._tls) as answer:
            if answer.status != 200:
                raise Unreachable(f"{self._url}: its token server answers {answer.status}: are user and password right?")
            found = await answer.json(content_type=None)
        token = str(found.get("token") or found.get("access_token") or "")
        lasts = float(found.get("expires_in") or _TOKEN_SECONDS)
        self._tokens[name] = (token, time.monotonic() + lasts * 0.9)
        return {"Authorization": f"Bearer {token}"}


def _check(answer: aiohttp.ClientResponse) -> None:
    if answer.status in (401, 403):
        raise RegistryError("DENIED", f"the registry behind refuses: {answer.status} {answer.reason}")
    if answer.status >= 300:
        raise Unreachable(f"{answer.url.host} answers {answer.status} {answer.reason}")
