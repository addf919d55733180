"""Carry out a plan: make the child, its namespaces, mounts and cgroup, and hold it at the gate."""

from argosy.runtime.spawn.child import Child
from argosy.runtime.spawn.enter import spawn_exec
from argosy.runtime.spawn.failure import SpawnFailed
from argosy.runtime.spawn.start import begin, spawn

__all__ = ["Child", "SpawnFailed", "begin", "spawn", "spawn_exec"]
