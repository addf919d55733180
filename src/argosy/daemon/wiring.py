"""Putting the layers together: the only place that knows them all. What runs is made here, nothing is decided here."""

import os
import platform
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy.base.clock import SystemClock
from argosy.base.events import EventBus
from argosy.base.tasks import Supervisor
from argosy.base.units import parse_size
from argosy.build.builder import Builder
from argosy.build.cache.table import CacheTable
from argosy.build.context.git import Clone
from argosy.build.emulation import PLACE, refusal, runnable
from argosy.daemon.build_runner import BuildRunner
from argosy.daemon.buildkit import BuildKit, BuildResults
from argosy.daemon.config import DaemonConfig
from argosy.daemon.remap import mapping_namespace
from argosy.daemon.root import DataRoot
from argosy.daemon.settings import engine_settings, info_settings, network_settings, registry_settings
from argosy.engine.announce import Announcer
from argosy.engine.boot import Boot
from argosy.engine.change import Changer
from argosy.engine.confinement import Confinement
from argosy.engine.containers import Containers
from argosy.engine.create import Creator
from argosy.engine.execs import ExecEnds, Execs
from argosy.engine.exits import Exits
from argosy.engine.health_watch import HealthWatch
from argosy.engine.image_mounts import ImageMounts
from argosy.engine.labelling import Labelling
from argosy.engine.mounting import Mounting
from argosy.engine.network_service import NetworkService
from argosy.engine.platform import Machine, probe
from argosy.engine.platform.apparmor import AppArmor
from argosy.engine.registry import Registry
from argosy.engine.relabel import label_layers
from argosy.engine.release import Releaser
from argosy.engine.remove import Remover
from argosy.engine.sandboxes import Sandboxes
from argosy.engine.settings import EngineSettings
from argosy.engine.start import Starter
from argosy.engine.stop import Stopper
from argosy.engine.store import ContainerStore
from argosy.engine.system import SystemService
from argosy.engine.transient import Transient
from argosy.engine.validation import Validation
from argosy.engine.views import Viewer
from argosy.engine.volume_service import VolumeService
from argosy.images.compose import host_architecture
from argosy.images.reclaim import Reclaimer
from argosy.images.store import ImageStore
from argosy.images.using import User
from argosy.images.watermarks import Watermarks
from argosy.network.admin import NetworkAdmin
from argosy.network.controller import Controller
from argosy.oci.config import Config
from argosy.runtime.client import LauncherWorkers, ShimRuntime
from argosy.runtime.exitrecord import boot_id
from argosy.runtime.seccomp import resolve
from argosy.storage.content import Content
from argosy.storage.database import Database
from argosy.storage.drivers.port import describe
from argosy.storage.drivers.select import select_driver
from argosy.storage.layers import Layers
from argosy.storage.limits import Limits
from argosy.storage.snapshots import Snapshots
from argosy.storage.volumes import Volumes as LocalVolumes


@dataclass(slots=True)
class Lower:
    """Storage, images, runtime and networks of one daemon."""

    database: Database
    workers: LauncherWorkers
    runtime: ShimRuntime
    layers: Layers
    snapshots: Snapshots
    content: Content
    images: ImageStore
    volumes: LocalVolumes
    networks: Controller
    build_cache: CacheTable
    image_mounts: ImageMounts
    userns: int
    """fd of a user namespace with the mapping of ``--userns-remap``, -1 without one."""


@dataclass(slots=True)
class Parts:
    """What the daemon starts, serves and stops."""

    lower: Lower
    apparmor: AppArmor
    boot: Boot
    exits: Exits
    registry: Registry
    containers: Containers
    execs: Execs
    networks: NetworkService
    volumes: VolumeService
    system: SystemService
    transient: Transient
    builder: Builder
    buildkit: BuildKit
    events: EventBus
    supervisor: Supervisor
    settings: EngineSettings
    reclaimer: Reclaimer


def build(config: DaemonConfig, root: DataRoot) -> Parts:
    """Return the parts, wired but not started. Opens the database and sweeps the storage's halves."""
    clock, supervisor = SystemClock(), Supervisor()
    events = EventBus(clock)
    machine = probe()
    settings = engine_settings(config, machine)
    registry = Registry()
    lower = _lower(config, root, settings, registry, events, supervisor, clock)
    return _engine(config, settings, machine, registry, lower, events, supervisor, clock, root.daemon_id)


def _lower(
    config: DaemonConfig,
    root: DataRoot,
    settings: EngineSettings,
    registry: Registry,
    events: EventBus,
    supervisor: Supervisor,
    clock: SystemClock,
) -> Lower:
    data, run = Path(root.path), settings.exec_root
    os.makedirs(run, mode=0o711, exist_ok=True)
    database = Database(data / "state.db")
    database.open()
    workers = LauncherWorkers(exec_root=run, daemon_id=root.daemon_id)
    driver = select_driver(config["storage_driver"] or None, data, workers=workers)
    userns = mapping_namespace(settings, driver.name, data)
    limits = Limits(parse_size(str(config["max_archive_size"])), config["max_archive_ratio"])
    layers = Layers(data / driver.name, driver, workers=workers, supervisor=supervisor, limits=limits)
    layers.open()
    if settings.selinux and driver.name == "overlay2":
        label_layers(str(data / driver.name), settings.selinux)
    snapshots = Snapshots(layers)
    snapshots.open()
    content = Content(data / "content")
    content.open()

    build_cache = CacheTable(db=database, clock=clock)
    build_cache.load()

    image_mounts = ImageMounts(registry)

    def users(image_id: str) -> list[User]:
        return [
            User(container.id, container.running)
            for container in registry
            if container.spec.image_id == image_id or image_mounts.uses(container.spec, image_id)
        ]

    images = ImageStore(
        db=database,
        content=content,
        snapshots=snapshots,
        events=events,
        clock=clock,
        scratch=data / "tmp",
        changes=_change,
        users=users,
        supervisor=supervisor,
        registries=registry_settings(config),
        kept=lambda: [*build_cache.roots(), *image_mounts.chains()],
    )
    volumes = LocalVolumes(data / "volumes", db=database, workers=workers, trash=layers.trash, events=events, clock=clock)
    runtime = ShimRuntime(
        exec_root=run,
        daemon_id=root.daemon_id,
        supervisor=supervisor,
        cgroup_driver="systemd" if settings.systemd_cgroup else "cgroupfs",
        seccomp_cache=str(data / "seccomp"),
        clock=clock,
    )
    networks = Controller(
        daemon_id=root.daemon_id,
        exec_root=run,
        store=database,
        events=events,
        clock=clock,
        supervisor=supervisor,
        settings=network_settings(config),
    )
    return Lower(database, workers, runtime, layers, snapshots, content, images, volumes, networks, build_cache, image_mounts, userns)


def _engine(
    config: DaemonConfig,
    settings: EngineSettings,
    machine: Machine,
    registry: Registry,
    lower: Lower,
    events: EventBus,
    supervisor: Supervisor,
    clock: SystemClock,
    daemon_id: str,
) -> Parts:
    announce = Announcer(events)
    store = ContainerStore(lower.database, supervisor)
    sandboxes = Sandboxes(settings.exec_root)
    validation = Validation(machine=machine, settings=settings, sized=lower.snapshots.sized)
    apparmor = AppArmor(machine)
    confinement = Confinement(settings=settings, resolve_seccomp=_resolve_seccomp(), apparmor=apparmor)
    releaser = Releaser(networks=lower.networks, volumes=lower.volumes, sandboxes=sandboxes, announce=announce)
    health = HealthWatch(confinement=confinement, store=store, announce=announce, clock=clock)
    mounting = Mounting(
        registry=registry,
        volumes=lower.volumes,
        database=lower.database,
        workers=lower.workers,
        candidates=validation.mount_points,
        images=lower.images,
        image_mounts=lower.image_mounts,
        bind_create=config["bind_create"],
    )
    labelling = Labelling(registry=registry, policy=settings.selinux, rng=random.Random())
    creator = Creator(
        registry=registry,
        store=store,
        images=lower.images,
        snapshots=lower.snapshots,
        mounting=mounting,
        labelling=labelling,
        validate=validation.at_create,
        networks=lower.networks,
        settings=settings,
        announce=announce,
        clock=clock,
        rng=random.Random(),
    )
    remover = Remover(
        registry=registry,
        store=store,
        runtime=lower.runtime,
        snapshots=lower.snapshots,
        volumes=lower.volumes,
        mounting=mounting,
        releaser=releaser,
        settings=settings,
        announce=announce,
        supervisor=supervisor,
    )
    starter = Starter(
        registry=registry,
        store=store,
        runtime=lower.runtime,
        networks=lower.networks,
        snapshots=lower.snapshots,
        volumes=lower.volumes,
        mounting=mounting,
        releaser=releaser,
        sandboxes=sandboxes,
        confinement=confinement,
        health=health,
        remove=remover.auto_remove,
        settings=settings,
        announce=announce,
        clock=clock,
    )
    exits = Exits(
        registry=registry,
        store=store,
        runtime=lower.runtime,
        releaser=releaser,
        execs=ExecEnds(announce),
        start=starter.start,
        remove=remover.auto_remove,
        announce=announce,
        supervisor=supervisor,
    )
    stopper = Stopper(store=store, starter=starter, settings=settings, announce=announce)
    changer = Changer(
        registry=registry,
        store=store,
        networks=lower.networks,
        validate=validation.at_update,
        announce=announce,
    )
    viewer = Viewer(
        images=lower.images,
        networks=lower.networks,
        snapshots=lower.snapshots,
        confinement=confinement,
        data_root=settings.data_root,
    )
    containers = Containers(
        registry=registry,
        creator=creator,
        starter=starter,
        stopper=stopper,
        remover=remover,
        changer=changer,
        viewer=viewer,
        snapshots=lower.snapshots,
        images=lower.images,
        workers=lower.workers,
        announce=announce,
        limits=lower.layers.limits,
        clock=clock,
        settings=settings,
        userns=lower.userns,
    )
    boot = Boot(
        registry=registry,
        store=store,
        runtime=lower.runtime,
        networks=lower.networks,
        snapshots=lower.snapshots,
        volumes=lower.volumes,
        mounting=mounting,
        sandboxes=sandboxes,
        exits=exits,
        finish_removal=remover.finish,
        resume=health.begin,
        settings=settings,
        clock=clock,
    )
    networks = NetworkService(
        admin=NetworkAdmin(catalogue=lower.networks.catalogue, events=events, clock=clock),
        networks=lower.networks,
        registry=registry,
        store=store,
        sandboxes=sandboxes,
        data_root=settings.data_root,
        events=events,
    )
    volumes = VolumeService(volumes=lower.volumes, registry=registry, events=events)
    transient = Transient(
        registry=registry,
        runtime=lower.runtime,
        networks=lower.networks,
        confinement=confinement,
        labelling=labelling,
        validate=validation.at_create,
        settings=settings,
        supervisor=supervisor,
    )
    builder = Builder(
        home=Path(settings.data_root) / "build",
        memory=Path(settings.exec_root) / "build",
        layers=lower.layers,
        images=lower.images,
        table=lower.build_cache,
        runner=BuildRunner(transient),
        git=Clone(),
        workers=lower.workers,
        refusal=lambda found: refusal(found, host_architecture(), _binfmt_handlers()),
        clock=clock,
        supervisor=supervisor,
        boot=boot_id(),
    )
    buildkit = BuildKit(
        builder=builder,
        results=BuildResults(
            images=lower.images, layers=lower.layers, workers=lower.workers, scratch=Path(settings.data_root) / "build/tmp"
        ),
        worker_id=daemon_id,
        platforms=lambda: runnable(host_architecture(), _binfmt_handlers()),
        clock=clock,
    )
    system = SystemService(
        settings=info_settings(config, settings, lower.snapshots.driver, describe(lower.layers.driver), daemon_id),
        machine=machine,
        registry=registry,
        containers=containers,
        images=lower.images,
        volumes=lower.volumes,
        layers_size=lower.images.layers_size,
        build_cache=builder.cache.usage,
        events=events,
        clock=clock,
    )
    execs = Execs(registry=registry, confinement=confinement, announce=announce)

    async def free_cache(free: int) -> int:
        return (await builder.cache.prune({}, all=False, reserved=0, maximum=0, free=free))[1]

    reclaimer = Reclaimer(
        images=lower.images,
        path=Path(settings.data_root),
        marks=Watermarks(config["disk_high_watermark"], config["disk_low_watermark"]),
        free_cache=free_cache,
    )
    return Parts(
        lower,
        apparmor,
        boot,
        exits,
        registry,
        containers,
        execs,
        networks,
        volumes,
        system,
        transient,
        builder,
        buildkit,
        events,
        supervisor,
        settings,
        reclaimer,
    )


def _resolve_seccomp() -> Any:
    machine = platform.machine()
    release = platform.release().split(".")
    kernel = (int(release[0]), int(release[1].split("-")[0]))

    def resolve_profile(profile: Mapping[str, Any] | None, capabilities: tuple[str, ...]) -> Mapping[str, Any] | None:
        return resolve(profile, capabilities=capabilities, machine=machine, kernel=kernel)

    return resolve_profile


def _change(config: Config, changes: Sequence[str]) -> Config:
    from argosy.build.dockerfile.changes import apply

    return apply(config, changes)


def _binfmt_handlers() -> list[str]:
    """Return what the kernel tells of each; asked each time, as they come and go while the daemon runs."""
    found = []
    for path in Path(PLACE).glob("*"):
        try:
            found.append(path.read_text() if path.name != "register" else "")
        except OSError:
            continue
    return found
