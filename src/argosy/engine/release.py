"""Giving back what a start took from the host: network, ports, volume mounts."""

from argosy.engine.announce import Announcer
from argosy.engine.container import Container
from argosy.engine.ports import Networks, Volumes
from argosy.engine.sandboxes import Sandboxes
from argosy.network.model import Sandbox


class Releaser:
    def __init__(self, *, networks: Networks, volumes: Volumes, sandboxes: Sandboxes, announce: Announcer) -> None:
        self._networks = networks
        self._volumes = volumes
        self._sandboxes = sandboxes
        self._announce = announce

    async def release(self, container: Container) -> None:
        """Undo reserve, attach and mount; never raises for what is already gone."""
        await self._networks.release(container.id)
        for point in container.spec.mounts:
            if point.type == "volume":
                await self._volumes.unmount(point.name, container.id)
                if point.name in container.mounted:
                    self._announce.unmounted(container, point)
        container.mounted.clear()
        self._sandboxes.forget(container.id)
        container.sandbox = Sandbox(endpoints={}, ports={})
        container.request = None
        container.generation += 1
