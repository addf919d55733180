"""What an admitted request may do. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from argosy.registry.http.request import Request

PULL, PUSH, DELETE = "pull", "push", "delete"
ACTIONS = (PULL, PUSH, DELETE)
ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Grant:
    user: str
    allows: Callable[[str, str], bool]
    """(repository, action) → whether it is allowed."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a request is for; an empty ``name`` is the registry itself (``/v2/``, the catalogue)."""

    name: str = ""
    actions: tuple[str, ...] = ()
    browser: bool = False
    """Who asks knows only Basic, and can look at what is for everybody without being asked."""


class Gate(Protocol):
    async def admit(self, request: Request, need: Need) -> Grant:
        """Return what the request's sender may do. Raises RegistryError UNAUTHORIZED with a challenge, or DENIED."""
        ...


class OpenGate:
    """Everybody may do everything."""

    async def admit(self, request: Request, need: Need) -> Grant:
        return Grant("", _anything)


def _anything(name: str, action: str) -> bool:
    return True
