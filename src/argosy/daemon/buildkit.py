"""BuildKit's protocol, read into memory when the first client speaks it: gRPC and its messages are 10 MiB."""

import asyncio
import importlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from argosy.base.clock import Clock
from argosy.build.builder import Builder

if TYPE_CHECKING:
    from argosy.buildkit.control import Control


class BuildKit:
    """`argosy.api.ports.BuildKit`."""

    def __init__(self, *, builder: Builder, worker_id: str, platforms: Callable[[], Sequence[str]], clock: Clock) -> None:
        self._builder = builder
        self._worker_id = worker_id
        self._platforms = platforms
        self._clock = clock
        self._control: Control | None = None

    async def load(self) -> None:
        await asyncio.to_thread(importlib.import_module, "argosy.buildkit.control")

    def serve(self, transport: asyncio.Transport, early: bytes) -> None:
        self._loaded().serve(transport, early)

    def open_session(self, id: str, methods: Sequence[str], transport: asyncio.Transport, early: bytes) -> None:
        self._loaded().open_session(id, methods, transport, early)

    def _loaded(self) -> "Control":
        from argosy.buildkit.control import Control

        if self._control is None:
            self._control = Control(builder=self._builder, worker_id=self._worker_id, platforms=self._platforms, clock=self._clock)
        return self._control
