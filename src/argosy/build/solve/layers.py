"""A step that changes files: found in the cache, or done once however many builds want it.

Order, and what a crash leaves: scratch (in ``aside``, swept) → changed → sealed in place without a record (no layer yet,
swept) → cache entry in memory → `settle`: layers synced, recorded → entries written. Whatever is not written is done again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from argosy.base.clock import Clock
from argosy.base.errors import SystemFailureError
from argosy.base.failpoints import hit
from argosy.base.tasks import Supervisor
from argosy.build.cache.record import REGULAR, STATE, CacheRecord
from argosy.build.cache.shared import Shared
from argosy.build.cache.table import CacheTable
from argosy.build.ports import Heard
from argosy.storage.drafts import Scratch
from argosy.storage.layer import Layer
from argosy.storage.layers import Layers

if TYPE_CHECKING:
    from argosy.build.instructions.operation import Operation


@dataclass(frozen=True, slots=True)
class Step:
    """An operation on files, with what does not decide the result."""

    operation: Operation
    chain: str | None
    base_chain: str | None
    parent: str
    """Key of the cache record below."""
    latest: int = -1
    """No time of a file stays above it (seconds since the epoch); -1: as they are."""


class LayerWork:
    """One for a daemon. ``bound`` limits how many steps are done at once."""

    def __init__(
        self,
        *,
        layers: Layers,
        table: CacheTable,
        clock: Clock,
        supervisor: Supervisor,
        slot: Callable[[], Awaitable[None]],
        free: Callable[[], None],
    ) -> None:
        self._layers = layers
        self._table = table
        self._clock = clock
        self._shared: Shared[CacheRecord] = Shared(supervisor)
        self._slot = slot
        self._free = free

    def find(self, key: str) -> CacheRecord | None:
        """Return the entry if its files are still there."""
        record = self._table.find(key)
        if record is None:
            return None
        if record.chain and self._layers.find(record.chain) is None:
            self._table.forget(key)
            return None
        return record

    def take(self, record: CacheRecord) -> bool:
        """Take an entry that an image tells of; False if its files are not here."""
        layer = self._layers.find(record.chain) if record.chain else None
        if record.chain and layer is None:
            return False
        size = layer.size if layer is not None and record.diff_id else 0
        now = self._clock.now_ns()
        self._table.put(msgspec.structs.replace(record, size=size, created=record.created or now, last_used=now))
        return True

    async def do(self, step: Step, heard: Heard, *, share: bool) -> CacheRecord:
        """Do the step and return its new entry. ``share``: join a build that does the same now."""

        async def work(told: Heard) -> CacheRecord:
            if share and (known := self.find(step.operation.key)) is not None:
                return known
            await self._slot()
            try:
                return await self._do(step, told)
            finally:
                self._free()

        if share:
            return await self._shared.run(step.operation.key, work, heard)
        return await work(heard)

    async def _do(self, step: Step, heard: Heard) -> CacheRecord:
        operation, drafts = step.operation, self._layers.drafts
        leases = self._layers.leases.hold(*([step.chain] if step.chain else []))
        with leases:
            scratch = await self._scratch(step)
            try:
                hit("build.step.begun")
                await operation.apply(scratch, heard)
                hit("build.step.applied")
                layer = await drafts.seal(scratch, latest=step.latest)
            except OSError as error:
                raise SystemFailureError(f"{operation.description}: {error}") from error
            finally:
                drafts.drop(scratch)
            record = self._record(step, layer)
            # From here on the entry holds the layer.
            self._table.put(record)
            if operation.anywhere and layer is not None:
                self._table.put(CacheRecord(operation.anywhere, STATE, chain=layer.chain_id, created=record.created))
            hit("build.step.sealed")
            return record

    async def rebased(self, step: Step) -> CacheRecord | None:
        """Return a new entry for a step that was done on other files and does not depend on them; None where it was not."""
        known = self.find(step.operation.anywhere) if step.operation.anywhere else None
        if known is None:
            return None
        with self._layers.leases.hold(*([step.chain] if step.chain else [])):
            layer = await self._layers.drafts.rebase(known.chain, step.chain)
            if layer is None:
                return None
            record = self._record(step, layer)
            self._table.put(record)
            return record

    def _record(self, step: Step, layer: Layer | None) -> CacheRecord:
        return CacheRecord(
            key=step.operation.key,
            kind=REGULAR,
            parent=step.parent,
            chain=layer.chain_id if layer is not None else step.chain or "",
            diff_id=layer.diff_id if layer is not None else "",
            created=self._clock.now_ns(),
            last_used=self._clock.now_ns(),
            size=layer.size if layer is not None else 0,
            description=step.operation.description,
        )

    async def _scratch(self, step: Step) -> Scratch:
        operation = step.operation
        return await self._layers.drafts.begin(
            step.chain,
            base=step.base_chain,
            directories=operation.directories,
            files=operation.files,
            alone=bool(operation.anywhere),
        )

    async def save(self) -> None:
        """Get what was made onto the disk: layers first, then the entries that name them."""
        await self._layers.drafts.settle()
        hit("build.cache.settled")
        await self._table.save()
