"""Changes to a container that exists: another name, other limits. Each makes a new revision, committed before the answer."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from argosy.base.errors import ConflictError, InvalidParameterError, NotFoundError
from argosy.engine.announce import Announcer
from argosy.engine.container import Container
from argosy.engine.links import without
from argosy.engine.model import HostConfig, Status
from argosy.engine.names import check_name
from argosy.engine.ports import Networks
from argosy.engine.registry import Registry
from argosy.engine.spec.devices import device_number
from argosy.engine.spec.resources import resources
from argosy.engine.store import ContainerStore

ValidateUpdate = Callable[[HostConfig, Mapping[str, Any], bool, str], tuple[HostConfig, tuple[str, ...]]]
"""(current, changed fields, running, container id) → (new, warnings)."""


class Changer:
    def __init__(
        self,
        *,
        registry: Registry,
        store: ContainerStore,
        networks: Networks,
        validate: ValidateUpdate,
        announce: Announcer,
    ) -> None:
        self._registry = registry
        self._store = store
        self._networks = networks
        self._validate = validate
        self._announce = announce

    async def rename(self, container: Container, name: str) -> None:
        """Give it another name, also in its networks. Raises ConflictError when that is taken."""
        if not name:
            raise InvalidParameterError("Neither old nor new names may be empty")
        try:
            name = check_name(name)
        except InvalidParameterError as error:
            raise InvalidParameterError(f"Error when allocating new name: {error}") from error
        old = container.name
        if name == old:
            raise InvalidParameterError("Renaming a container with the same name as its current name")
        if container.state.status in (Status.REMOVING, Status.DEAD):
            raise ConflictError("cannot rename a container that is being removed")
        try:
            self._registry.reserve(name, container.id)
        except ConflictError as error:
            raise ConflictError(f"Error when allocating new name: {error}") from error
        before = container.spec
        container.spec = msgspec.structs.replace(before, name=name)
        try:
            await self._store.save_spec(container.spec)
        except BaseException:
            container.spec = before
            self._registry.free(name, container.id)
            raise
        self._registry.free(old, container.id)
        self._networks.rename(container.id, name)
        self._announce(container, "rename", oldName=f"/{old}")

    async def remove_link(self, container: Container, alias: str) -> None:
        """Forget the link ``alias``; what the running program knows of it stays. Raises NotFoundError in Docker's words."""
        async with container.lock:
            before = container.spec.host.links or ()
            left = without(before, alias)
            if len(left) == len(before):
                raise NotFoundError(f"No such container: {container.name}/{alias}")
            container.spec = msgspec.structs.replace(container.spec, host=msgspec.structs.replace(container.spec.host, links=left or None))
            await self._store.save_spec(container.spec)

    async def update(self, container: Container, changes: Mapping[str, Any]) -> tuple[str, ...]:
        """Change limits and restart policy, live when it runs. Raises InvalidParameterError and ConflictError."""
        if container.removed or container.state.status in (Status.REMOVING, Status.DEAD):
            raise ConflictError(f'Cannot update container {container.id}: container is marked for removal and cannot be "update".')
        async with container.lock:
            host, warnings = self._validate(container.spec.host, changes, container.running, container.id)
            before = container.spec
            if container.shim is not None and container.running:
                await container.shim.update(resources(host, device_number))
            container.spec = msgspec.structs.replace(before, host=host)
            await self._store.save_spec(container.spec)
        if container.state.status is Status.RESTARTING and host.restart_policy.name in ("", "no") and container.restart_timer is not None:
            container.restart_timer.cancel()
        self._announce(container, "update")
        return warnings
