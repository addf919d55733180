"""The route table: method and compiled path pattern → handler.

aiohttp's dispatcher with 110 routes costs more than a request; here fixed paths are one dictionary look-up, and the few patterns
that share a method and first segment are tried in order.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from argosy.api.answer import Answer, Gone
from argosy.api.request import Request

Handler = Callable[[Request], Awaitable[Answer | Gone]]

_VARIABLE = re.compile(r"\{(\w+)(:\.\*)?\}")


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    """``/containers/{id}/json``; a name with slashes is ``/images/{name:.*}/json``."""
    handler: Handler
    follows_client: bool = False
    """The handler ends when the client leaves."""


def compile_path(path: str) -> re.Pattern[str]:
    """Return the pattern of a path with ``{variables}``, which match one segment unless they say ``:.*``."""
    pattern, end = "", 0
    for match in _VARIABLE.finditer(path):
        pattern += re.escape(path[end : match.start()]) + f"(?P<{match[1]}>{'.+' if match[2] else '[^/]+'})"
        end = match.end()
    return re.compile(pattern + re.escape(path[end:]))


class Table:
    def __init__(self, routes: Iterable[Route]) -> None:
        self._fixed: dict[tuple[str, str], Route] = {}
        self._patterns: dict[tuple[str, str], list[tuple[re.Pattern[str], Route]]] = {}
        for route in routes:
            if "{" not in route.path:
                self._fixed[route.method, route.path] = route
                continue
            key = (route.method, route.path.split("/", 2)[1])
            self._patterns.setdefault(key, []).append((compile_path(route.path), route))

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
        """Return the route and its variables; None when nothing is there."""
        fixed = self._fixed.get((method, path))
        if fixed is not None:
            return fixed, {}
        for pattern, route in self._patterns.get((method, path[1:].partition("/")[0]), ()):
            match = pattern.fullmatch(path)
            if match is not None:
                return route, match.groupdict()
        return None

    def routes(self) -> list[Route]:
        """Return all routes, for the contract test and the documentation."""
        return [*self._fixed.values(), *(route for entries in self._patterns.values() for _, route in entries)]
