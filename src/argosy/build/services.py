"""What all builds of a daemon share."""

from __future__ import annotations

from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from argosy.base.clock import Clock
    from argosy.base.tasks import Supervisor
    from argosy.build.cache.mounts import CacheMounts
    from argosy.build.cache.table import CacheTable
    from argosy.build.dockerfile.args import Platform
    from argosy.build.instructions.add import Fetcher
    from argosy.build.ports import Images, Runner
    from argosy.build.solve.layers import LayerWork
    from argosy.storage.layers import Layers
    from argosy.storage.ports import Workers


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Made once, when the daemon starts."""

    layers: Layers
    images: Images
    table: CacheTable
    runner: Runner
    fetcher: Fetcher
    workers: Workers
    caches: CacheMounts
    memory: Path
    """A directory on a file system in memory."""
    refusal: Callable[[Platform], str]
    clock: Clock
    supervisor: Supervisor
    work: LayerWork
