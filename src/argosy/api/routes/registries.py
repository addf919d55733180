"""What needs a registry: login, search, push, manifests of remote images. Not served yet; each says so."""

from argosy.api.answer import Answer
from argosy.api.request import Request
from argosy.api.table import Route
from argosy.base.errors import NotImplementedInArgosyError


def registry_routes() -> list[Route]:
    return [
        Route("POST", "/auth", _login),
        Route("GET", "/images/search", _search),
        Route("POST", "/images/{name:.*}/push", _push),
        Route("GET", "/distribution/{name:.*}/json", _distribution),
    ]


async def _login(request: Request) -> Answer:
    raise NotImplementedInArgosyError("registry login is not served yet: this daemon neither pulls nor pushes")


async def _search(request: Request) -> Answer:
    raise NotImplementedInArgosyError("image search is not served: it needs Docker Hub's index")


async def _push(request: Request) -> Answer:
    raise NotImplementedInArgosyError(f"pushing {request.parts['name']} is not served yet: save it to an archive (docker save)")


async def _distribution(request: Request) -> Answer:
    raise NotImplementedInArgosyError(f"asking a registry about {request.parts['name']} is not served yet")
