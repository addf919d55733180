"""A builder in memory: says what it is given to say."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from argosy.build.request import BuildRequest


class FakeBuilder:
    def __init__(self) -> None:
        self.requests: list[BuildRequest] = []
        self.bodies: list[bytes] = []
        self.says: list[Mapping[str, Any]] = [{"stream": "Step 1/1 : FROM busybox\n"}, {"aux": {"ID": "sha256:" + "c3" * 32}}]
        self.fails: Exception | None = None
        self.cancelled: list[str] = []
        self.pruned: list[Mapping[str, Any]] = []

    async def build(self, request: BuildRequest, body: AsyncIterator[bytes]) -> AsyncIterator[Mapping[str, Any]]:
        self.requests.append(request)
        self.bodies.append(b"".join([piece async for piece in body]))
        for message in self.says:
            yield message
        if self.fails is not None:
            raise self.fails

    async def cancel(self, build_id: str) -> None:
        self.cancelled.append(build_id)

    async def prune(self, *, filters: Mapping[str, Sequence[str]], **limits: Any) -> tuple[list[str], int]:
        self.pruned.append({"filters": filters, **limits})
        return ["abc"], 7


class FakeBuildKit:
    """Takes connections and keeps what came with them."""

    def __init__(self) -> None:
        self.served: list[bytes] = []
        self.sessions: list[tuple[str, list[str]]] = []

    async def load(self) -> None:
        pass

    def serve(self, transport, early: bytes) -> None:
        self.served.append(early)
        transport.close()

    def open_session(self, id: str, methods, shared_key: str, transport, early: bytes) -> None:
        self.sessions.append((id, list(methods)))
        transport.close()
