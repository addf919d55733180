"""The routes, a noun a file; each class takes what it serves from and lists its routes."""

from argosy.api.ports import Builder, BuildKit, Containers, Execs, ImageStore, NetworkStore, Registries, System, VolumeStore
from argosy.api.routes.archives import ArchiveRoutes
from argosy.api.routes.attach import AttachRoutes
from argosy.api.routes.builds import BuildRoutes
from argosy.api.routes.containers import ContainerRoutes
from argosy.api.routes.execs import ExecRoutes
from argosy.api.routes.images import ImageRoutes
from argosy.api.routes.lifecycle import LifecycleRoutes
from argosy.api.routes.networks import NetworkRoutes
from argosy.api.routes.output import OutputRoutes
from argosy.api.routes.plugins import plugin_routes
from argosy.api.routes.registries import RegistryRoutes
from argosy.api.routes.swarm import swarm_routes
from argosy.api.routes.system import SystemRoutes
from argosy.api.routes.transfers import TransferRoutes
from argosy.api.routes.volumes import VolumeRoutes
from argosy.api.table import Route
from argosy.base.clock import Clock
from argosy.base.tasks import Supervisor


def all_routes(
    *,
    containers: Containers,
    execs: Execs,
    images: ImageStore,
    registries: Registries,
    networks: NetworkStore,
    volumes: VolumeStore,
    system: System,
    builder: Builder,
    buildkit: BuildKit,
    clock: Clock,
    tasks: Supervisor,
) -> list[Route]:
    """Return every route; of two patterns that match one path the earlier wins."""
    return [
        *SystemRoutes(system, clock).routes(),
        *ContainerRoutes(containers, clock).routes(),
        *LifecycleRoutes(containers).routes(),
        *AttachRoutes(containers, tasks).routes(),
        *OutputRoutes(containers, clock).routes(),
        *ArchiveRoutes(containers).routes(),
        *ExecRoutes(execs).routes(),
        *TransferRoutes(images, registries).routes(),
        *RegistryRoutes(registries).routes(),
        *ImageRoutes(images).routes(),
        *NetworkRoutes(networks).routes(),
        *VolumeRoutes(volumes).routes(),
        *plugin_routes(),
        *swarm_routes(),
        *BuildRoutes(builder, buildkit).routes(),
    ]
