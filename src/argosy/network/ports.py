"""What the network layer needs of others."""

from typing import Protocol


class Store(Protocol):
    """`storage.database.Database`, as far as networks use it."""

    async def put(self, kind: str, id: str, value: bytes) -> None: ...

    async def delete(self, kind: str, id: str) -> None: ...

    def load(self, kind: str) -> dict[str, bytes]: ...
