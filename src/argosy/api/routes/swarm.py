"""Swarm routes of a node that is in no swarm: reads and writes say so in Docker's words, ``init`` and ``join`` are refused."""

from argosy.api.answer import Answer
from argosy.api.request import Request
from argosy.api.table import Handler, Route
from argosy.base.errors import NotImplementedInArgosyError, UnavailableError

_NOT_A_MANAGER = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.'
)
_MANAGED = (
    ("GET", "/swarm"),
    ("POST", "/swarm/update"),
    ("GET", "/swarm/unlockkey"),
    ("POST", "/swarm/unlock"),
    ("GET", "/nodes"),
    ("GET", "/nodes/{id}"),
    ("DELETE", "/nodes/{id}"),
    ("POST", "/nodes/{id}/update"),
    ("GET", "/services"),
    ("POST", "/services/create"),
    ("GET", "/services/{id}"),
    ("DELETE", "/services/{id}"),
    ("POST", "/services/{id}/update"),
    ("GET", "/services/{id}/logs"),
    ("GET", "/tasks"),
    ("GET", "/tasks/{id}"),
    ("GET", "/tasks/{id}/logs"),
    *(
        entry
        for noun in ("secrets", "configs")
        for entry in (
            ("GET", f"/{noun}"),
            ("POST", f"/{noun}/create"),
            ("GET", f"/{noun}/{{id}}"),
            ("DELETE", f"/{noun}/{{id}}"),
            ("POST", f"/{noun}/{{id}}/update"),
        )
    ),
)


def swarm_routes() -> list[Route]:
    special: tuple[tuple[str, str, Handler], ...] = (
        ("POST", "/swarm/init", _refuse),
        ("POST", "/swarm/join", _refuse),
        ("POST", "/swarm/leave", _leave),
    )
    managed = (Route(method, path, _not_a_manager) for method, path in _MANAGED)
    return [*(Route(method, path, handler) for method, path, handler in special), *managed]


async def _not_a_manager(request: Request) -> Answer:
    raise UnavailableError(_NOT_A_MANAGER)


async def _leave(request: Request) -> Answer:
    raise UnavailableError("This node is not part of a swarm")


async def _refuse(request: Request) -> Answer:
    raise NotImplementedInArgosyError("swarm mode is not served yet: this daemon runs containers on one host")
