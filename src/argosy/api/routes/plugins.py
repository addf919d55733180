"""Plugins: there are none, and none can be installed."""

from argosy.api.answer import Answer, json
from argosy.api.request import Request
from argosy.api.table import Handler, Route
from argosy.base.errors import NotFoundError, NotImplementedInArgosyError

_REFUSED = (
    ("GET", "/plugins/privileges"),
    ("POST", "/plugins/pull"),
    ("POST", "/plugins/create"),
    ("POST", "/plugins/{name:.*}/upgrade"),
)
_ABSENT = (
    ("GET", "/plugins/{name:.*}/json"),
    ("POST", "/plugins/{name:.*}/enable"),
    ("POST", "/plugins/{name:.*}/disable"),
    ("POST", "/plugins/{name:.*}/push"),
    ("POST", "/plugins/{name:.*}/set"),
    ("DELETE", "/plugins/{name:.*}"),
)


def plugin_routes() -> list[Route]:
    fixed: list[tuple[str, str, Handler]] = [("GET", "/plugins", _none)]
    refused: list[tuple[str, str, Handler]] = [(method, path, _refuse) for method, path in _REFUSED]
    absent: list[tuple[str, str, Handler]] = [(method, path, _not_found) for method, path in _ABSENT]
    return [Route(method, path, handler) for method, path, handler in (*fixed, *refused, *absent)]


async def _none(request: Request) -> Answer:
    return json([])


async def _not_found(request: Request) -> Answer:
    raise NotFoundError(f'plugin "{request.parts["name"]}" not found')


async def _refuse(request: Request) -> Answer:
    raise NotImplementedInArgosyError("managed plugins are not served: volume, network and log drivers are built in")
