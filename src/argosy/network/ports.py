"""What the network layer needs of others."""

from typing import Protocol

from argosy.network.model import EndpointSettings, NetworkRef


class Store(Protocol):
    """`storage.database.Database`, as far as networks use it."""

    async def put(self, kind: str, id: str, value: bytes) -> None: ...

    async def delete(self, kind: str, id: str) -> None: ...

    def load(self, kind: str) -> dict[str, bytes]: ...


class ContainerNetworks(Protocol):
    """What `POST /networks/{id}/connect` and `/disconnect` need of the engine, which knows containers and keeps their revisions.

    For a running container the engine calls back `Controller.connect` or `disconnect`.
    """

    async def connect(self, network: NetworkRef, container: str, settings: EndpointSettings) -> None: ...

    async def disconnect(self, network: NetworkRef, container: str, *, force: bool) -> None: ...
