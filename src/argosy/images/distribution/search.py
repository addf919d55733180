"""``docker search``: the index of Docker Hub, or of a registry that still has one (moby ``registry/search.go``)."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from argosy.base.errors import InvalidParameterError, SystemFailureError
from argosy.images.distribution import endpoints
from argosy.images.distribution.credentials import Credentials
from argosy.images.distribution.endpoints import Endpoint
from argosy.images.distribution.failures import TransportError
from argosy.images.distribution.http import Http
from argosy.images.distribution.settings import RegistrySettings
from argosy.images.distribution.tokens import basic

DEFAULT_LIMIT = 25
_MOST = 100
_ACCEPTED = frozenset(("is-automated", "is-official", "stars"))
_LIMIT = 4 << 20


class _Found(msgspec.Struct):
    name: str = ""
    description: str | None = ""
    star_count: int = 0
    is_official: bool = False
    is_automated: bool = False


class _Page(msgspec.Struct):
    results: list[_Found] | None = None


async def search(
    term: str, *, limit: int | None, filters: Mapping[str, Sequence[str]], credentials: Credentials, http: Http, settings: RegistrySettings
) -> list[Mapping[str, Any]]:
    """Return the API's results. Raises InvalidParameterError on a limit or filter, SystemFailureError in Docker's words."""
    if limit is not None and limit and not 1 <= limit <= _MOST:
        raise InvalidParameterError(f"limit {limit} is outside the range of [1, {_MOST}]")
    wanted = _wanted(filters)
    host, name = split(term)
    query = urlencode({"q": name, "n": limit or DEFAULT_LIMIT})
    candidates = endpoints.for_push(host, settings) if host else (Endpoint(f"https://{endpoints.HUB_INDEX}"),)
    headers = {"Authorization": basic(credentials)} if credentials.username else {}
    async with http.using():
        for endpoint in candidates:
            try:
                async with http.send("GET", f"{endpoint.url}/v1/search?{query}", endpoint, headers=headers) as answer:
                    if answer.status != 200:
                        raise SystemFailureError(f"Unexpected status code {answer.status}")
                    data = await answer.body(_LIMIT)
                break
            except TransportError:
                if endpoint is candidates[-1]:
                    raise
    try:
        found = msgspec.json.decode(data, type=_Page).results or []
    except msgspec.DecodeError as error:
        raise SystemFailureError(f"error decoding registry search results: {error}") from error
    return [msgspec.to_builtins(one) for one in found if wanted(one)]


def split(term: str) -> tuple[str, str]:
    """Return registry (empty: the hub) and what to look for."""
    if "://" in term:
        raise InvalidParameterError(f"invalid repository name: {term} contains a scheme")
    first, slash, rest = term.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost") or endpoints.is_hub(first):
        name = rest if slash and endpoints.is_hub(first) else term
        # The hub knows its official images by their bare names.
        return "", name.removeprefix("library/")
    return first, rest


def _wanted(filters: Mapping[str, Sequence[str]]) -> Any:
    for key in filters:
        if key not in _ACCEPTED:
            raise InvalidParameterError(f"invalid filter '{key}'")
    official, automated = _flag(filters, "is-official"), _flag(filters, "is-automated")
    stars = 0
    for value in filters.get("stars", ()):
        if not value.isdigit():
            raise InvalidParameterError(f"invalid filter 'stars={value}'")
        stars = max(stars, int(value))

    def fits(one: _Found) -> bool:
        return (
            (official is None or one.is_official == official)
            and (automated is None or one.is_automated == automated)
            and one.star_count >= stars
        )

    return fits


def _flag(filters: Mapping[str, Sequence[str]], key: str) -> bool | None:
    values = {value.lower() for value in filters.get(key, ())}
    if not values:
        return None
    if values <= {"1", "true"} or values <= {"0", "false"}:
        return values <= {"1", "true"}
    raise InvalidParameterError(f"invalid filter '{key}=[{' '.join(filters[key])}]'")
