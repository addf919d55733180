"""Builds are not served yet: the routes say so, and the cache is empty."""

from argosy.api.answer import Answer, json
from argosy.api.request import Request
from argosy.api.table import Route
from argosy.base.errors import InvalidParameterError, NotImplementedInArgosyError

_HINT = "import a root file system (docker import), change a container and commit it (docker commit)"


def build_routes() -> list[Route]:
    return [
        Route("POST", "/build", _refuse),
        Route("POST", "/build/cancel", _refuse),
        Route("POST", "/build/prune", _prune),
        Route("POST", "/session", _no_buildkit),
        Route("POST", "/grpc", _no_buildkit),
    ]


async def _refuse(request: Request) -> Answer:
    raise NotImplementedInArgosyError(f"building from a Dockerfile is not served yet: {_HINT}")


async def _no_buildkit(request: Request) -> Answer:
    if "Upgrade" not in request.headers:
        raise InvalidParameterError("no upgrade proto in request")
    raise NotImplementedInArgosyError(f"BuildKit sessions are not served yet: {_HINT}")


async def _prune(request: Request) -> Answer:
    return json({"CachesDeleted": None, "SpaceReclaimed": 0})
