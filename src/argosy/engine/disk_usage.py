"""``GET /system/df``: what takes space, as values; `argosy.api` writes each version's shape."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from argosy.engine.view import View
from argosy.images.model import ImageSummary
from argosy.storage.model import VolumeUsage, VolumeView

TYPES = ("container", "image", "volume", "build-cache")


async def disk_usage(
    types: Sequence[str],
    *,
    containers: Callable[[], Awaitable[Sequence[View]]],
    images: Callable[[], Awaitable[Sequence[ImageSummary]]],
    volumes: Callable[[], Awaitable[Sequence[VolumeUsage]]],
    layers_size: Callable[[], Awaitable[int]],
    build_cache: Callable[[], Awaitable[Sequence[Mapping[str, Any]]]] | None = None,
) -> dict[str, Any]:
    """Return Images (ImageSummary, with shared sizes), LayersSize, Containers (views with sizes), Volumes (VolumeUsage) and
    BuildCache (the API's records): those of ``types``, all when it is empty. Nothing else is measured."""
    asked = types or TYPES
    found: dict[str, Any] = {}
    if "image" in asked:
        found["LayersSize"] = await layers_size()
        found["Images"] = list(await images())
    if "container" in asked:
        found["Containers"] = list(await containers())
    if "volume" in asked:
        found["Volumes"] = list(await volumes())
    if "build-cache" in asked:
        found["BuildCache"] = list(await build_cache()) if build_cache is not None else []
    return found


async def volume_usage(
    volumes: Sequence[VolumeView], containers: Sequence[View], size: Callable[[str], Awaitable[int]]
) -> list[VolumeUsage]:
    """Return each volume with its size (-1 where only its driver knows) and how many containers have it."""
    references: dict[str, int] = {}
    for view in containers:
        for name in {point.name for point in view.spec.mounts if point.type == "volume"}:
            references[name] = references.get(name, 0) + 1
    return [
        VolumeUsage(volume, await size(volume.name) if volume.driver == "local" else -1, references.get(volume.name, 0))
        for volume in volumes
    ]
