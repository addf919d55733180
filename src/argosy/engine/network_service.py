"""``/networks``: the network layer's own acts, and the two that concern a container's revision too."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from argosy.base.errors import ForbiddenError, InvalidParameterError, NotFoundError
from argosy.base.events import EventBus
from argosy.base.failpoints import hit
from argosy.engine import networking
from argosy.engine.container import Container
from argosy.engine.model import EndpointSettings
from argosy.engine.paths import ContainerPaths
from argosy.engine.ports import Networks
from argosy.engine.registry import Registry
from argosy.engine.sandboxes import Sandboxes
from argosy.engine.store import ContainerStore
from argosy.network import bandwidth
from argosy.network.model import NetworkCreate, NetworkView, Sandbox

Filters = Mapping[str, Sequence[str]]


class NetworkAdmin(Protocol):
    async def create(self, request: NetworkCreate) -> tuple[str, str]: ...
    async def list_(self, filters: Filters) -> list[NetworkView]: ...
    async def inspect(self, ref: str, *, verbose: bool = False, scope: str = "") -> NetworkView: ...
    async def remove(self, ref: str) -> None: ...
    async def prune(self, filters: Filters) -> list[str]: ...


class NetworkService:
    """Implements `argosy.api.ports.NetworkStore`."""

    def __init__(
        self,
        *,
        admin: NetworkAdmin,
        networks: Networks,
        registry: Registry,
        store: ContainerStore,
        sandboxes: Sandboxes,
        data_root: str,
        events: EventBus,
    ) -> None:
        self._admin = admin
        self._networks = networks
        self._registry = registry
        self._store = store
        self._sandboxes = sandboxes
        self._data_root = data_root
        self._events = events
        self.create = admin.create
        self.list_ = admin.list_
        self.inspect = admin.inspect
        self.remove = admin.remove
        self.prune = admin.prune
        self.audit = networks.audit

    async def connect(self, ref: str, container: str, settings: EndpointSettings) -> None:
        """Attach a container, running or not. Raises in Docker's words and then nothing is changed."""
        target = self._registry.find(container)
        network = self._networks.find(ref)
        mode = networking.normalise(target.spec.host.network_mode)
        if networking.joined(mode) is not None:
            raise InvalidParameterError(networking.ALONE["host"])
        if mode == "host" and network.name != "host":
            raise InvalidParameterError(networking.ALONE["host"])
        if network.name == "host":
            raise InvalidParameterError("cannot connect container to host network - container must be created in host network mode")
        if mode == "none" and network.name != "none":
            raise InvalidParameterError(networking.ALONE["none"])
        settings = bandwidth.labelled(settings, network.name, target.spec.config.labels)
        self._networks.check(network, settings)
        async with target.lock:
            if network.name in target.spec.networks:
                raise ForbiddenError(f"endpoint with name {target.name} already exists in network {network.name}")
            if target.running:
                added = await self._networks.connect(target.id, target.state.pid, network, settings)
                self._merge(target, added)
            await self._save(target, {**target.spec.networks, network.name: settings})
        self._announce("connect", network.id, network.name, network.driver, target)

    async def disconnect(self, ref: str, container: str, *, force: bool) -> None:
        if not container:
            raise InvalidParameterError('invalid name or ID supplied: ""')
        network = self._networks.find(ref)
        try:
            target = self._registry.find(container)
        except NotFoundError:
            if force:
                raise NotFoundError(f"endpoint {container} not found") from None
            raise
        if networking.normalise(target.spec.host.network_mode) == "host" and network.name == "host":
            raise InvalidParameterError("cannot disconnect container from host network - container was created in host network mode")
        async with target.lock:
            if network.name not in target.spec.networks:
                raise NotFoundError(f"container {target.id} is not connected to network {network.name}")
            if target.running:
                left = await self._networks.disconnect(target.id, network)
                target.sandbox = left
                self._written(target)
            await self._save(target, {name: value for name, value in target.spec.networks.items() if name != network.name})
        self._announce("disconnect", network.id, network.name, network.driver, target)

    async def limit(self, ref: str, container: str, *, down: str | None, up: str | None) -> None:
        """Change how much a container may receive and send in a network, at once if it runs; None leaves a direction as it is.

        The revision names a limit whenever the kernel may have one: written before one is set, and after one is lifted. A
        daemon that dies in between sets again what the revision says.
        """
        target, network = self._registry.find(container), self._networks.find(ref)
        async with target.lock:
            before = target.spec.networks
            if network.name not in before:
                raise NotFoundError(f"container {target.id} is not connected to network {network.name}")
            settings = bandwidth.changed(before[network.name], down, up)
            self._networks.check(network, settings)
            after = {**before, network.name: settings}
            first = bandwidth.asked(settings.driver_opts).limited
            if first:
                await self._save(target, after)
            hit("network.limit")
            try:
                if target.running:
                    await self._networks.limit(target.id, network, settings)
            except BaseException:
                await asyncio.shield(self._save(target, before))
                raise
            if not first:
                await self._save(target, after)
        self._announce("update", network.id, network.name, network.driver, target)

    def _merge(self, target: Container, added: Sandbox) -> None:
        target.sandbox = Sandbox(endpoints={**target.sandbox.endpoints, **added.endpoints}, ports={**target.sandbox.ports, **added.ports})
        self._written(target)

    def _written(self, target: Container) -> None:
        """The record for the next daemon, and the container's own /etc/hosts."""
        self._sandboxes.save(target.id, target.sandbox)
        if target.request is not None:
            paths = ContainerPaths(self._data_root, target.id)
            paths.overwrite_hosts(self._networks.hosts(target.request, target.sandbox))

    async def _save(self, target: Container, networks: Mapping[str, EndpointSettings]) -> None:
        target.spec = msgspec.structs.replace(target.spec, networks=networks)
        await self._store.save_spec(target.spec)

    def _announce(self, action: str, network_id: str, name: str, driver: str, target: Container) -> None:
        self._events.publish("network", action, network_id, {"container": target.id, "name": name, "type": driver})
