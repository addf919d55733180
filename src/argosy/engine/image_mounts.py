"""Images that are mounted in containers (``--mount type=image``): looked up at create, kept as long as a container names them.

The layers are kept even when the image's record is removed by force, as Docker's are: the container starts all the same. Nothing
is mounted on the host: the shim opens the view for the container alone (`runtime.spawn.sources`), and it goes with the container.
"""

from collections.abc import Iterable

import msgspec

from argosy.base.errors import InvalidParameterError
from argosy.engine.model import ContainerSpec, MountPoint
from argosy.engine.ports import Images, Snapshots
from argosy.engine.registry import Registry
from argosy.engine.settings import EngineSettings
from argosy.engine.userns import mappings, ranges
from argosy.runtime.model import Tree
from argosy.storage.model import Directory, Mapped


class ImageMounts:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._pending: dict[str, set[str]] = {}

    def chains(self) -> list[str]:
        """Return the chain IDs that must stay: roots for the removal of layers."""
        held = [point.chain for container in self._registry for point in points(container.spec)]
        return [*held, *(chain for chains in self._pending.values() for chain in chains)]

    def uses(self, spec: ContainerSpec, image_id: str) -> bool:
        return any(point.source == image_id for point in points(spec))

    async def resolve(self, container_id: str, point: MountPoint, images: Images) -> MountPoint:
        """Return the point with the image's id as its source; the layers are held until `done`.

        Raises NotFoundError ``No such image: x:latest``, InvalidParameterError for an image without files.
        """
        if not point.source:
            image = await images.resolve(point.name)
            if image.chain_id is None:
                raise InvalidParameterError(f'invalid mount config for type "image": image {point.name} has no layers to mount')
            point = msgspec.structs.replace(point, source=image.id, chain=image.chain_id, mapped=True)
        self._pending.setdefault(container_id, set()).add(point.chain)
        return point

    def done(self, container_id: str) -> None:
        """The container is in the registry, or will not be."""
        self._pending.pop(container_id, None)


def points(spec: ContainerSpec) -> list[MountPoint]:
    return [point for point in spec.mounts if point.type == "image"]


async def trees(mounts: Iterable[MountPoint], snapshots: Snapshots) -> dict[str, Tree]:
    """Return what a start mounts that is no path of the host, by destination. Raises NotFoundError when layers are gone.

    A part of a volume is among it: a program may have made a link there that leads out.
    """
    found = {}
    for point in mounts:
        if point.type == "image":
            found[point.destination] = Tree(await snapshots.view(point.chain), point.subpath, point.source)
        elif point.type == "volume" and point.subpath:
            found[point.destination] = Tree(Directory(point.source), point.subpath, point.source)
    return found


async def views(spec: ContainerSpec, snapshots: Snapshots, settings: EngineSettings) -> dict[str, Mapped]:
    """Return what the images show while the container does not run, by destination. Raises NotFoundError when layers are gone."""
    uids, gids = (ranges(found) for found in mappings(settings, spec.host))
    return {point.destination: Mapped(await snapshots.view(point.chain), uids, gids, point.subpath) for point in points(spec)}
