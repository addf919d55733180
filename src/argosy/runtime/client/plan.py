"""From a StartRequest to what the shim needs: the compiled plan, with the seccomp filter from the cache."""

import asyncio
from typing import Any

from argosy.runtime.compile import HostFacts, PlanError, compile_start, probe_host
from argosy.runtime.model import StartFailed, StartRequest
from argosy.runtime.seccomp import compiled


class Planner:
    def __init__(self, *, cgroup_driver: str, seccomp_cache: str) -> None:
        self._systemd = cgroup_driver == "systemd"
        self._cache = seccomp_cache
        self._host: HostFacts | None = None

    async def warm(self) -> HostFacts:
        if self._host is None:
            self._host = await asyncio.to_thread(probe_host)
        return self._host

    async def plan(self, request: StartRequest) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return (plan, bundle configuration for a foreign runtime or {}). Raises StartFailed."""
        host = await self.warm()
        linux = request.spec.get("linux") or {}
        try:
            bpf = None
            if linux.get("seccomp"):
                # A hit is one small read; a miss compiles for a tenth of a second, without the GIL.
                bpf = await asyncio.to_thread(compiled, linux["seccomp"], cache_dir=self._cache)
            plan = compile_start(
                request.spec,
                request.rootfs,
                container_id=request.id,
                host=host,
                init=request.init,
                join=request.join,
                bpf=bpf,
                systemd_cgroup=self._systemd,
                trees=request.trees,
            )
        except (PlanError, OSError, ValueError) as error:
            raise StartFailed(f"failed to create task for container: {error}", 128) from None
        return plan, dict(request.spec) if request.runtime else {}
