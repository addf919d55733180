"""Creating a container: everything is decided and made here but what only a start can make.

Order, and what a crash leaves: name reserved (memory only) → anonymous volumes noted as an intent, made → snapshot and
directory made (swept: no revision names them) → revision committed: from here on the container exists.
"""

import os
import random
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack

import msgspec

from argosy.base import ids
from argosy.base.clock import Clock
from argosy.base.errors import InvalidParameterError
from argosy.base.failpoints import hit
from argosy.engine import images_config, networking
from argosy.engine.announce import Announcer
from argosy.engine.container import Container
from argosy.engine.container_view import Created, CreateRequest
from argosy.engine.labelling import Labelling
from argosy.engine.model import Config, ContainerSpec, EndpointSettings, HostConfig, LogConfig, MountPoint, RestartPolicy, State
from argosy.engine.mounting import Mounting
from argosy.engine.names import check_name, random_name
from argosy.engine.paths import ContainerPaths
from argosy.engine.ports import Images, Networks, Snapshots
from argosy.engine.registry import Registry
from argosy.engine.relabel import relabel_root
from argosy.engine.settings import EngineSettings
from argosy.engine.spec import defaults
from argosy.engine.store import ContainerStore
from argosy.engine.userns import mappings, ranges
from argosy.engine.validate import storage_size
from argosy.images.model import ImageView

Validate = Callable[[Config, HostConfig], tuple[HostConfig, tuple[str, ...]]]
"""Returns (the host part without what cannot be, warnings), raises InvalidParameterError in Docker's words."""


class Creator:
    def __init__(
        self,
        *,
        registry: Registry,
        store: ContainerStore,
        images: Images,
        snapshots: Snapshots,
        mounting: Mounting,
        labelling: Labelling,
        validate: Validate,
        networks: Networks,
        settings: EngineSettings,
        announce: Announcer,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._registry = registry
        self._store = store
        self._images = images
        self._snapshots = snapshots
        self._mounting = mounting
        self._labelling = labelling
        self._validate = validate
        self._networks = networks
        self._settings = settings
        self._announce = announce
        self._clock = clock
        self._rng = rng

    async def create(self, request: CreateRequest) -> Created:
        """Make the container. Raises in Docker's words, and then nothing is left."""
        name = check_name(request.name) if request.name else random_name(self._registry.name_taken, self._rng)
        host = self._labelling.settle(fill_host(request.host, self._settings))
        host, warnings = self._validate(request.config, host)
        image = await self._images.resolve(request.config.image, request.platform) if request.config.image else None
        if image is None:
            raise InvalidParameterError(
                "no command specified" if not request.config.cmd else "config cannot be empty in order to create a container"
            )
        container_id = ids.new_id()
        with self._registry.reserving(name, container_id), self._labelling.labels(host) as labels:
            async with AsyncExitStack() as undo:
                config, host = settle(request.config, host, image, container_id)
                endpoints = networking.new_endpoints(config, host, request.endpoints)
                networking.check(config, host, endpoints, self._networks, self._registry)
                points, more = await self._mounting.resolve(container_id, config, host, undo)
                spec = self._spec(container_id, name, config, host, endpoints, image, points)
                spec = msgspec.structs.replace(spec, process_label=labels.process, mount_label=labels.mount)
                await self._make(spec, image, undo)
                hit("create.made")
                await self._store.save_spec(spec)
                undo.pop_all()
            hit("create.committed")
            container = Container(spec, State())
            self._registry.add(container)
        await self._mounting.done(container_id)
        self._announce(container, "create")
        return Created(container_id, (*warnings, *more))

    async def _make(self, spec: ContainerSpec, image: ImageView, undo: AsyncExitStack) -> None:
        undo.push_async_callback(self._snapshots.remove, spec.id)
        root = await self._snapshots.prepare(spec.id, image.chain_id, storage_size(spec.host.storage_opt or {}))
        await relabel_root(root, spec.mount_label)
        hit("create.snapshot")
        uids, gids = mappings(self._settings, spec.host)
        await self._mounting.copy_up(spec, root, (ranges(uids), ranges(gids)) if uids else None)

    def _spec(
        self,
        container_id: str,
        name: str,
        config: Config,
        host: HostConfig,
        endpoints: Mapping[str, EndpointSettings],
        image: ImageView,
        points: tuple[MountPoint, ...],
    ) -> ContainerSpec:
        path, args = images_config.command(config)
        paths = ContainerPaths(self._settings.data_root, container_id)
        return ContainerSpec(
            id=container_id,
            name=name,
            created=self._clock.now_ns(),
            image_id=image.id,
            image_manifest=image.manifest,
            platform=image.os,
            config=config,
            host=host,
            networks=endpoints,
            mounts=points,
            driver=self._snapshots.driver,
            log_path=paths.log if host.log_config.type in ("json-file", "local") else "",
            path=path,
            args=args,
        )


def _cgroup_namespace(settings: EngineSettings, *, privileged: bool) -> str:
    return "private" if settings.private_cgroup and (settings.unified_cgroups or not privileged) else "host"


def fill_host(host: HostConfig, settings: EngineSettings) -> HostConfig:
    """Return the host part with the daemon's defaults where nothing is said, as inspect shows them."""
    log = host.log_config
    if not log.type:
        log = LogConfig(settings.default_log.type, {**settings.default_log.config, **log.config} if not log.config else log.config)
    confined = not host.privileged and "systempaths=unconfined" not in (host.security_opt or ())
    return msgspec.structs.replace(
        host,
        log_config=log,
        network_mode=networking.normalise(host.network_mode),
        ipc_mode=host.ipc_mode or ("private" if settings.private_ipc else "shareable"),
        cgroupns_mode=host.cgroupns_mode or _cgroup_namespace(settings, privileged=host.privileged),
        shm_size=host.shm_size or settings.default_shm_size,
        runtime=host.runtime or settings.default_runtime,
        restart_policy=host.restart_policy if host.restart_policy.name else RestartPolicy("no", 0),
        memory_swap=host.memory_swap or (host.memory * 2 if host.memory > 0 else 0),
        masked_paths=host.masked_paths if host.masked_paths is not None else (defaults.MASKED_PATHS if confined else None),
        readonly_paths=host.readonly_paths if host.readonly_paths is not None else (defaults.READONLY_PATHS if confined else None),
        oom_kill_disable=bool(host.oom_kill_disable),
        pids_limit=None if host.pids_limit in (0, -1) else host.pids_limit,
    )


def settle(config: Config, host: HostConfig, image: ImageView, container_id: str) -> tuple[Config, HostConfig]:
    """Return the configuration with the image's merged in and a hostname given."""
    merged = images_config.merge(config, image.config)
    hostname = merged.hostname
    if not hostname and networking.joined(host.network_mode) is None:
        hostname = os.uname().nodename if host.uts_mode == "host" or host.network_mode == "host" else ids.short(container_id)
    exposed = dict(merged.exposed_ports or {})
    exposed.update({port: {} for port in host.port_bindings or {}})
    return msgspec.structs.replace(merged, hostname=hostname, exposed_ports=exposed or None), host
