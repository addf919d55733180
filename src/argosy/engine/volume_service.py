"""``/volumes``: the volume store's acts, with the question who uses a volume answered from the containers."""

from collections.abc import Mapping, Sequence

from argosy.base.errors import ArgosyError, ConflictError, NotFoundError
from argosy.base.events import EventBus
from argosy.engine import filters as match
from argosy.engine.ports import Volumes
from argosy.engine.registry import Registry
from argosy.storage.model import VolumeView

Filters = Mapping[str, Sequence[str]]

_LISTED = frozenset({"dangling", "driver", "label", "name"})
_PRUNED = frozenset({"label", "label!", "all"})


class VolumeService:
    """Implements `argosy.api.ports.VolumeStore`."""

    def __init__(self, *, volumes: Volumes, registry: Registry, events: EventBus) -> None:
        self._volumes = volumes
        self._registry = registry
        self._events = events

    def users(self) -> dict[str, list[str]]:
        """Return volume name → ids of the containers that mount it, running or not."""
        found: dict[str, list[str]] = {}
        for container in self._registry:
            for point in container.spec.mounts:
                if point.type == "volume":
                    found.setdefault(point.name, []).append(container.id)
        return found

    async def create(self, name: str, driver: str, options: Mapping[str, str], labels: Mapping[str, str]) -> VolumeView:
        return await self._volumes.create(name, driver or "local", options, labels)

    async def list_(self, filters: Filters) -> tuple[list[VolumeView], list[str]]:
        match.accept(filters, _LISTED)
        used = self.users()
        dangling = match.flag(filters, "dangling")
        found = [
            volume
            for volume in self._volumes.list_()
            if (dangling is None or dangling == (volume.name not in used))
            and ("driver" not in filters or volume.driver in filters["driver"])
            and match.labels(filters, volume.labels)
            and ("name" not in filters or any(part in volume.name for part in filters["name"]))
        ]
        return found, []

    async def inspect(self, name: str) -> VolumeView:
        return self._volumes.get(name)

    async def remove(self, name: str, *, force: bool) -> None:
        """Raises ConflictError ``remove x: volume is in use - [ids]``."""
        try:
            self._volumes.get(name)
        except NotFoundError:
            if force:
                return
            raise
        if users := self.users().get(name):
            raise ConflictError(f"remove {name}: volume is in use - [{', '.join(users)}]")
        await self._volumes.remove(name, force)

    async def prune(self, filters: Filters) -> tuple[list[str], int]:
        """Remove unused anonymous volumes, named ones too with ``all``; return (names, bytes freed)."""
        match.accept(filters, _PRUNED)
        every = match.flag(filters, "all", False)
        used = self.users()
        removed, freed = [], 0
        for volume in list(self._volumes.list_()):
            # One with options lies elsewhere (NFS, a device): nothing is freed but its description, which Docker keeps, too.
            if volume.name in used or volume.options or not (volume.anonymous or every):
                continue
            if not (match.labels(filters, volume.labels) and match.without_labels(filters, volume.labels)):
                continue
            try:
                size = await self._volumes.size(volume.name)
                await self._volumes.remove(volume.name, False)
            except ArgosyError:
                continue
            removed.append(volume.name)
            freed += size
        self._events.publish("volume", "prune", "", {"reclaimed": str(freed)})
        return removed, freed
