"""`SystemService`: what the daemon says of itself. Implements `argosy.api.ports.System`."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import argosy
from argosy.base.clock import Clock
from argosy.base.events import EventBus
from argosy.engine import cdi
from argosy.engine import events as happenings
from argosy.engine.container_view import ContainerView
from argosy.engine.disk_usage import disk_usage, volume_usage
from argosy.engine.filters import Filters
from argosy.engine.info import InfoSettings, count, system_info, usage_now
from argosy.engine.platform import Machine
from argosy.engine.ports import Volumes
from argosy.engine.registry import Registry
from argosy.engine.version import version
from argosy.images.model import ImageSummary
from argosy.storage.model import VolumeUsage

API, MINIMUM_API = "1.55", "1.24"


class ListsContainers(Protocol):
    async def list_(self, *, all: bool, limit: int, size: bool, filters: Filters) -> list[ContainerView]: ...


class ListsImages(Protocol):
    async def list_(self, *, all: bool, filters: Filters, shared_size: bool = False, manifests: bool = False) -> list[ImageSummary]: ...
    async def usage(self) -> list[ImageSummary]:
        """Return the images with all that each takes of the disk, and what of that is shared."""
        ...


class SystemService:
    def __init__(
        self,
        *,
        settings: InfoSettings,
        machine: Machine,
        registry: Registry,
        containers: ListsContainers,
        images: ListsImages,
        volumes: Volumes,
        layers_size: Callable[[], int],
        build_cache: Callable[[], Awaitable[Sequence[Mapping[str, Any]]]] | None = None,
        events: EventBus,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._machine = machine
        self._registry = registry
        self._containers = containers
        self._images = images
        self._volumes = volumes
        self._layers_size = layers_size
        self._build_cache = build_cache
        self._events = events
        self._clock = clock

    def reconfigure(self, settings: InfoSettings) -> None:
        """Take over what a reload changed, and tell it by an event."""
        self._settings = settings
        attributes = {"name": settings.name, "debug": str(settings.debug).lower(), "labels": json.dumps(list(settings.labels))}
        self._events.publish("daemon", "reload", settings.daemon_id, attributes)

    async def info(self) -> Mapping[str, Any]:
        images = await self._images.list_(all=False, filters={})
        counts = count((container.state for container in self._registry), len(images))
        devices = await asyncio.to_thread(cdi.load, self._settings.cdi_spec_dirs)
        usage = usage_now(self._clock.now_ns(), devices=sorted(devices.devices))
        return system_info(self._settings, self._machine, counts, usage)

    def version(self) -> Mapping[str, Any]:
        own = (("argosy-runtime", argosy.__version__, ""), ("argosy-init", argosy.__version__, ""))
        return version(self._machine, engine=argosy.__version__, api=API, minimum_api=MINIMUM_API, components=own)

    def ping_headers(self) -> Mapping[str, str]:
        return {"Builder-Version": "1", "Swarm": "inactive"}

    def events(self, *, since: int, until: int, filters: Filters) -> AsyncIterator[Mapping[str, Any]]:
        return happenings.stream(self._events, since=since, until=until, filters=filters, now=self._clock.now_ns)

    async def disk_usage(self, types: Sequence[str]) -> Mapping[str, Any]:
        async def containers() -> list[ContainerView]:
            return await self._containers.list_(all=True, limit=0, size=True, filters={})

        async def images() -> list[ImageSummary]:
            return await self._images.usage()

        async def volumes() -> list[VolumeUsage]:
            views = await self._containers.list_(all=True, limit=0, size=False, filters={})
            return await volume_usage(self._volumes.list_(), views, self._volumes.size)

        async def layers_size() -> int:
            return self._layers_size()

        return await disk_usage(
            types, containers=containers, images=images, volumes=volumes, layers_size=layers_size, build_cache=self._build_cache
        )
