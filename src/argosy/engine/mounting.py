"""From ``-v``, ``--mount``, ``--volumes-from`` and an image's VOLUMEs to resolved mount points; volumes are made here.

Anonymous volumes are made before the container's revision is committed, and removed after it is deleted; their names are noted
as an *intent* first, so that a crash in between leaves none behind (`undo_intents` at boot).
"""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Protocol
from weakref import WeakValueDictionary

import msgspec

from argosy.base import ids
from argosy.base.errors import InvalidParameterError, NotFoundError
from argosy.engine import bind_source
from argosy.engine.image_mounts import ImageMounts
from argosy.engine.model import Config, ContainerSpec, HostConfig, MountPoint
from argosy.engine.ports import Images, Volumes
from argosy.engine.registry import Registry
from argosy.storage.model import IdRanges, RootMount
from argosy.storage.ports import Workers
from argosy.storage.volume_mount import in_memory, is_mount

INTENT = "create-intent"

Candidates = Callable[[Config, HostConfig], tuple[MountPoint, ...]]
"""What was asked for, checked but not made: volumes have no source, anonymous ones no name."""


Ids = tuple[IdRanges, IdRanges]
"""How uids and gids are mapped."""
_Now = Callable[[Mapping[str, str]], bool]
"""A volume's options → whether this is the time to fill it."""


class Database(Protocol):
    async def put(self, kind: str, key: str, value: bytes) -> None: ...

    async def delete(self, kind: str, key: str) -> None: ...

    def load(self, kind: str) -> dict[str, bytes]: ...


class Mounting:
    def __init__(
        self,
        *,
        registry: Registry,
        volumes: Volumes,
        database: Database,
        workers: Workers,
        candidates: Candidates,
        images: Images,
        image_mounts: ImageMounts,
        bind_create: str = "root",
    ) -> None:
        self._registry = registry
        self._volumes = volumes
        self._database = database
        self._workers = workers
        self._candidates = candidates
        self._bind_create = bind_create
        self._images = images
        self._image_mounts = image_mounts
        self._noted: set[str] = set()
        self._fresh: dict[str, set[str]] = {}
        self._filling: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """By volume: containers that share a new one, and are made at the same time, fill it one after the other."""

    async def resolve(
        self, container_id: str, config: Config, host: HostConfig, undo: AsyncExitStack
    ) -> tuple[tuple[MountPoint, ...], tuple[str, ...]]:
        """Return the mount points and warnings. Raises InvalidParameterError for a missing bind source of ``--mount``, NotFoundError
        for a missing image."""
        candidates = self._candidates(config, host)
        # A VOLUME of the image (without a mode) gives way to --volumes-from, and that to what is asked for by name.
        declared = [point for point in candidates if point.anonymous and not point.mode]
        explicit = [point for point in candidates if point not in declared]
        asked = {point.destination: point for point in (*declared, *self._volumes_from(host), *explicit)}
        points = [_named(point) for point in asked.values()]
        anonymous = [point.name for point in points if point.anonymous and not point.source]
        if anonymous:
            self._noted.add(container_id)
            await self._database.put(INTENT, container_id, msgspec.json.encode(anonymous))
        undo.callback(self._image_mounts.done, container_id)
        warnings: list[str] = []
        made = []
        for point in points:
            if point.type == "image":
                made.append(await self._image_mounts.resolve(container_id, point, self._images))
                continue
            if point.type == "bind" and (warning := bind_source.made(point, self._bind_create, config.user)):
                warnings.append(warning)
            made.append(await self._make(point, host, undo))
        return tuple(made), tuple(warnings)

    async def done(self, container_id: str) -> None:
        """The revision is committed and owns its volumes and images now."""
        self._image_mounts.done(container_id)
        self._fresh.pop(container_id, None)
        if container_id in self._noted:
            self._noted.discard(container_id)
            await self._database.delete(INTENT, container_id)

    async def give_up(self, container_id: str, names: Sequence[str]) -> None:
        """Note that these volumes go with the container, which is about to be deleted; `done` when they are gone."""
        self._noted.add(container_id)
        await self._database.put(INTENT, container_id, msgspec.json.encode(names))

    async def undo_intents(self) -> None:
        """At boot: remove anonymous volumes of containers that were never committed, or are deleted."""
        used = {point.name for container in self._registry for point in container.spec.mounts if point.type == "volume"}
        for container_id, raw in self._database.load(INTENT).items():
            if self._registry.get(container_id) is None:
                for name in msgspec.json.decode(raw, type=list[str]):
                    if name not in used:
                        await self._volumes.remove(name, True)
            await self._database.delete(INTENT, container_id)

    async def copy_up(self, spec: ContainerSpec, root: RootMount, ids: Ids | None = None) -> None:
        """At create: fill empty volumes with what the image has at their place, with owner and mode (``nocopy`` says not to).

        ``ids``: the mapping of the container's user namespace; volumes that are not mapped get the host's ids.
        """
        await self._fill(spec, root, ids, lambda options: not is_mount(options), mounted=False)

    async def copy_up_at_start(self, spec: ContainerSpec, root: RootMount, ids: Ids | None, *, first: bool) -> None:
        """The same for volumes with a file system of their own, which are there from the start on.

        ``first``: the container has never run. One whose content ends with its mount (tmpfs) is filled whenever it is empty.
        """
        await self._fill(spec, root, ids, lambda options: is_mount(options) and (first or in_memory(options)), mounted=True)

    async def _fill(self, spec: ContainerSpec, root: RootMount, ids: Ids | None, now: _Now, *, mounted: bool) -> None:
        """``mounted``: the start has done it, and gives the mount back."""
        for point in spec.mounts:
            if point.type != "volume" or point.no_copy or point.subpath or not now(self._volumes.get(point.name).options):
                continue
            async with self._filling.setdefault(point.name, asyncio.Lock()):
                await self._fill_one(point, spec.id, root, None if point.mapped else ids, mounted=mounted)

    async def _fill_one(self, point: MountPoint, container_id: str, root: RootMount, ids: Ids | None, *, mounted: bool) -> None:
        path = await self._volumes.mount(point.name, container_id)
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if not os.listdir(handle):
                await self._workers.run("copy_up", {"path": point.destination, "ids": ids}, fds=[handle], root=root)
        finally:
            os.close(handle)
            if not mounted:
                await self._volumes.unmount(point.name, container_id)

    def _volumes_from(self, host: HostConfig) -> list[MountPoint]:
        found = []
        for entry in host.volumes_from or ():
            ref, _, mode = entry.partition(":")
            if mode not in ("", "ro", "rw", "z", "Z"):
                raise InvalidParameterError(f"invalid mode: {mode}")
            try:
                source = self._registry.find(ref)
            except NotFoundError as error:
                # 400 as dockerd: a 404 here makes docker's client fetch the image.
                raise InvalidParameterError(str(error)) from error
            for point in source.spec.mounts:
                found.append(msgspec.structs.replace(point, rw=point.rw and mode != "ro", anonymous=False))
        return found

    async def _make(self, point: MountPoint, host: HostConfig, undo: AsyncExitStack) -> MountPoint:
        if point.type == "volume":
            known = {volume.name for volume in self._volumes.list_()} if not point.anonymous else set()
            view = await self._volumes.create(point.name, point.driver or host.volume_driver or "local", *_volume_asked(point, host))
            if point.anonymous or point.name not in known:
                undo.push_async_callback(self._volumes.remove, view.name, True)
            # A volume on a file system of its own keeps that one's ids, as a bind mount does.
            mapped = not is_mount(view.options)
            return msgspec.structs.replace(point, driver=view.driver, source=view.mountpoint, mapped=mapped)
        return point


def _named(point: MountPoint) -> MountPoint:
    if point.type == "volume" and not point.name:
        return msgspec.structs.replace(point, name=ids.new_id(), anonymous=True)
    return point


def _volume_asked(point: MountPoint, host: HostConfig) -> tuple[dict[str, str], dict[str, str]]:
    """Return (driver options, labels) that ``--mount volume-opt=…,volume-label=…`` gave for a new volume."""
    for mount in host.mounts or ():
        if mount.target == point.destination and mount.volume_options is not None:
            driver = mount.volume_options.driver_config
            return dict((driver.options if driver else None) or {}), dict(mount.volume_options.labels or {})
    return {}, {}
