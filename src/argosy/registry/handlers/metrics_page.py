"""``/metrics`` for Prometheus."""

import asyncio
import time

from argosy.registry.auth.grant import Gate, Need
from argosy.registry.http.answer import Answer, AnyAnswer
from argosy.registry.http.request import Request
from argosy.registry.metrics import CONTENT_TYPE, Metrics
from argosy.registry.storage.catalogue import repositories
from argosy.registry.storage.layout import Layout
from argosy.registry.usage import tree_size

_LOOK_SECONDS = 60.0
"""Sizes are found by walking all files: not for every scrape."""


class MetricsPage:
    def __init__(self, *, layout: Layout, metrics: Metrics, gate: Gate) -> None:
        self._layout = layout
        self._metrics = metrics
        self._gate = gate
        self._started = time.time()
        self._looked = -_LOOK_SECONDS
        self._sizes = (0, 0)

    async def answer(self, request: Request) -> AnyAnswer:
        request.grant = await self._gate.admit(request, Need(browser=True))
        now = time.monotonic()
        if now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            self._sizes = await asyncio.to_thread(self._look)
        repositories, size = self._sizes
        text = self._metrics.text(
            {
                "argosy_registry_start_time_seconds": ("When the server started", self._started),
                "argosy_registry_repositories": ("Repositories, as of a minute ago at most", repositories),
                "argosy_registry_stored_bytes": ("Bytes of all blobs, each counted once, as of a minute ago at most", size),
            }
        )
        return Answer(200, text.encode(), {"Content-Type": CONTENT_TYPE})

    def _look(self) -> tuple[int, int]:
        return len(repositories(self._layout)), tree_size(self._layout.pool)
