"""One endpoint and one login: requests with the authorization that they need."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from argosy.images.distribution import challenge as challenges
from argosy.images.distribution.challenge import Challenge
from argosy.images.distribution.credentials import Credentials
from argosy.images.distribution.endpoints import Endpoint
from argosy.images.distribution.failures import NoCredentials, RegistryError
from argosy.images.distribution.http import Answer, Http
from argosy.images.distribution.tokens import Tokens, basic, origin

_PING_LIMIT = 1 << 16


class Session:
    """Made by `connect`. ``challenge`` is what the registry asked of its first visitor, None if it asked nothing."""

    def __init__(self, *, http: Http, endpoint: Endpoint, tokens: Tokens, credentials: Credentials, challenge: Challenge | None) -> None:
        self._http = http
        self.endpoint = endpoint
        self._tokens = tokens
        self._credentials = credentials
        self._challenge = challenge

    @asynccontextmanager
    async def request(
        self,
        method: str,
        url: str,
        *,
        scopes: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
        data: Any = None,
        ok: Sequence[int] = (200,),
        wait: float = 0,
    ) -> AsyncIterator[Answer]:
        """Send with a token for the scopes, once more with a new one if it was refused; yield an answer with one of the statuses.

        ``data`` must be bytes or None where a refused token is to be made good. Raises RegistryError, TransportError, NoCredentials.
        """
        full = url if "://" in url else self.endpoint.url + url
        for fresh in (False, True):
            authorization = await self._authorization(method, full, scopes, fresh=fresh)
            named = {**(headers or {}), **authorization}
            async with self._http.send(method, full, self.endpoint, headers=named, data=data, wait=wait) as answer:
                if answer.status in ok:
                    yield answer
                    return
                error = await answer.refusal() if answer.status >= 400 else _unexpected(answer)
                asked = challenges.best(challenges.parse(answer.headers.getall("WWW-Authenticate", [])))
            repeatable = data is None or isinstance(data, bytes)
            if answer.status != 401 or asked is None or asked.scheme != "bearer" or fresh or not repeatable or error.code == "DENIED":
                raise error
            self._challenge = asked
        raise AssertionError("the second attempt returns or raises")

    @asynccontextmanager
    async def anonymous(self, method: str, url: str, *, headers: Mapping[str, str], ok: Sequence[int]) -> AsyncIterator[Answer]:
        """Send to another server than the registry, without saying who we are."""
        async with self._http.send(method, url, Endpoint(origin(url)), headers=headers) as answer:
            if answer.status not in ok:
                raise await answer.refusal() if answer.status >= 400 else _unexpected(answer)
            yield answer

    async def authorize(self, scopes: Sequence[str] = (), *, offline: bool = False) -> str:
        """Get whatever the registry wants, and return the refresh token that came with it if ``offline`` asked for one."""
        if self._challenge is None or self._challenge.scheme != "bearer":
            return ""
        token = await self._tokens.get(self._http, self.endpoint, self._challenge, self._credentials, scopes, offline=offline)
        return token.refresh

    async def _authorization(self, method: str, url: str, scopes: Sequence[str], *, fresh: bool) -> dict[str, str]:
        found, login = self._challenge, self._credentials
        if found is None:
            return {}
        if found.scheme == "basic":
            if not login.username:
                raise NoCredentials(f'{method.title()} "{url}": no basic auth credentials')
            return {"Authorization": basic(login)}
        if login.registry_token:
            return {"Authorization": f"Bearer {login.registry_token}"}
        token = await self._tokens.get(self._http, self.endpoint, found, login, scopes, fresh=fresh)
        return {"Authorization": f"Bearer {token.value}"}


def _unexpected(answer: Answer) -> RegistryError:
    return RegistryError(answer.status, "", f"unexpected HTTP status: {answer.status} {answer.reason}")


async def ping(http: Http, endpoint: Endpoint) -> Challenge | None:
    """Ask an endpoint whether it is a registry and what it wants of its clients. Raises RegistryError and TransportError."""
    async with http.send("GET", f"{endpoint.url}/v2/", endpoint) as answer:
        if answer.status >= 500:
            raise await answer.refusal()
        found = challenges.best(challenges.parse(answer.headers.getall("WWW-Authenticate", [])))
        if answer.status < 400:
            await answer.body(_PING_LIMIT)
        return found if answer.status == 401 else None
