"""The daemon's side of the runtime: `Runtime` and `Workers` as the layers above want them (engine.ports, storage.ports)."""

from argosy.runtime.client.runtime import ShimRuntime
from argosy.runtime.client.shim import ShimHandle
from argosy.runtime.client.workers import LauncherWorkers

__all__ = ["LauncherWorkers", "ShimHandle", "ShimRuntime"]
