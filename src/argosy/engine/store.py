"""Containers in ``state.db``: the revision when it changes, the state whenever it changes.

A revision is written before the client hears of it. States are written behind: what they tell is also in the shim's
exit record under the exec root, which `engine.boot` reads; only a stop that the user asked for is waited for.
"""

import asyncio
from typing import Protocol

import msgspec

from argosy.base.tasks import Supervisor
from argosy.engine.container import Container
from argosy.engine.model import ContainerSpec, State

SPEC, STATE = "container", "container-state"


class Database(Protocol):
    async def put(self, kind: str, key: str, value: bytes) -> None: ...

    async def delete(self, kind: str, key: str) -> None: ...

    def load(self, kind: str) -> dict[str, bytes]: ...


class ContainerStore:
    def __init__(self, database: Database, supervisor: Supervisor) -> None:
        self._database = database
        self._supervisor = supervisor
        self._encoder = msgspec.json.Encoder()
        self._written: dict[str, int] = {}
        """Generation of each container that is on its way to the disk, so that bursts are written once."""

    def load(self) -> list[tuple[ContainerSpec, State]]:
        """Return every container that was promised, oldest first."""
        states = self._database.load(STATE)
        found = []
        for key, raw in self._database.load(SPEC).items():
            spec = msgspec.json.decode(raw, type=ContainerSpec)
            state = msgspec.json.decode(states[key], type=State) if key in states else State()
            found.append((spec, state))
        return sorted(found, key=lambda pair: pair[0].created)

    async def save_spec(self, spec: ContainerSpec) -> None:
        await self._database.put(SPEC, spec.id, self._encoder.encode(spec))

    async def save_state(self, container: Container) -> None:
        """Write the state and return when it is on the disk."""
        await self._database.put(STATE, container.id, self._encoder.encode(container.state))

    def save_state_behind(self, container: Container) -> None:
        """Write the state soon; several changes in a row become one write."""
        if container.id not in self._written:
            self._written[container.id] = container.generation
            self._supervisor.spawn(self._write_behind(container), name=f"save state of {container.id[:12]}")

    async def _write_behind(self, container: Container) -> None:
        try:
            while not container.removed:
                generation = container.generation
                await self.save_state(container)
                if generation == container.generation:
                    break
        finally:
            # Also when the disk is full: the next change tries again.
            self._written.pop(container.id, None)
        if container.removed:
            await self._database.delete(STATE, container.id)

    async def delete(self, container_id: str) -> None:
        """Forget the container; both writes are queued together and share a commit."""
        await asyncio.gather(self._database.delete(SPEC, container_id), self._database.delete(STATE, container_id))
