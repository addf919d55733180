"""What lists, prunes and disk usage look at of a container; `argosy.api.ports.ContainerView` satisfies it."""

from collections.abc import Mapping
from typing import Protocol

from argosy.engine.model import ContainerSpec, Endpoint, State


class View(Protocol):
    @property
    def spec(self) -> ContainerSpec: ...
    @property
    def state(self) -> State: ...
    @property
    def image_name(self) -> str: ...
    @property
    def endpoints(self) -> Mapping[str, Endpoint]: ...
    @property
    def ports(self) -> Mapping[str, tuple[tuple[str, str], ...]]:
        """``80/tcp`` → ((host ip, host port), …)."""
        ...

    @property
    def size_rw(self) -> int | None: ...
