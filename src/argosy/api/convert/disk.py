"""``GET /system/df``: lists up to 1.51, totals since 1.52 (both in 1.52)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from argosy.api.convert.containers import summary as container_summary
from argosy.api.convert.images import summary as image_summary
from argosy.api.convert.status import status_text
from argosy.api.convert.volumes import volume
from argosy.engine.container_view import ContainerView
from argosy.engine.model import Status
from argosy.images.model import ImageSummary
from argosy.storage.model import VolumeUsage

_ACTIVE = (Status.RUNNING, Status.PAUSED, Status.RESTARTING)
Usage = Mapping[str, Any]


def disk_usage(usage: Usage, version: int, *, verbose: bool, now_ns: int) -> dict[str, Any]:
    """Return the answer of one version; ``verbose`` asks for the items of 1.52's totals instead of the old lists."""
    wire: dict[str, Any] = {}
    if version < 53 and not (verbose and version >= 52):
        wire |= _lists(usage, version, now_ns)
    if version >= 52:
        wire |= _totals(usage, version, verbose, now_ns)
    return wire


def _volume(one: VolumeUsage) -> dict[str, Any]:
    return volume(one.volume) | {"UsageData": {"RefCount": one.references, "Size": one.size}}


def _items(usage: Usage, version: int, now_ns: int) -> dict[str, list[dict[str, Any]]]:
    makers: dict[str, Callable[[Any], dict[str, Any]]] = {
        "Images": lambda image: image_summary(image, max(version, 51)) if version >= 44 else image_summary(image, version),
        "Containers": lambda view: container_summary(view, version, status_text(view.state, now_ns)),
        "Volumes": _volume,
        "BuildCache": dict,
    }
    return {name: [make(one) for one in usage[name]] for name, make in makers.items() if name in usage}


def _lists(usage: Usage, version: int, now_ns: int) -> dict[str, Any]:
    wire: dict[str, Any] = {"LayersSize": usage.get("LayersSize", 0), "Images": None, "Containers": None, "Volumes": None}
    wire |= _items(usage, version, now_ns)
    return wire | ({} if "BuildCache" in wire else {"BuildCache": None})


def _totals(usage: Usage, version: int, verbose: bool, now_ns: int) -> dict[str, Any]:
    items = _items(usage, version, now_ns) if verbose else {}
    measures: dict[str, tuple[str, Callable[[Sequence[Any]], tuple[int, int, int]]]] = {
        "Images": ("ImageUsage", lambda images: _images(images, usage.get("LayersSize", 0))),
        "Containers": ("ContainerUsage", _containers),
        "Volumes": ("VolumeUsage", _volumes),
        "BuildCache": ("BuildCacheUsage", _build_cache),
    }
    wire: dict[str, Any] = {}
    for name, (key, measure) in measures.items():
        if name in usage:
            active, size, reclaimable = measure(usage[name])
            wire[key] = {"ActiveCount": active, "TotalCount": len(usage[name]), "Reclaimable": reclaimable, "TotalSize": size}
            if verbose:
                wire[key]["Items"] = items[name]
    return wire


def _images(images: Sequence[ImageSummary], layers_size: int) -> tuple[int, int, int]:
    """What unused images hold alone can be had back; shared layers stay for the others."""
    used = sum(image.size - max(image.shared_size, 0) for image in images if image.containers > 0)
    return sum(image.containers > 0 for image in images), layers_size, max(layers_size - used, 0)


def _containers(views: Sequence[ContainerView]) -> tuple[int, int, int]:
    sizes = [(view.state.status in _ACTIVE, view.size_rw or 0) for view in views]
    return sum(active for active, _ in sizes), sum(size for _, size in sizes), sum(size for active, size in sizes if not active)


def _volumes(volumes: Sequence[VolumeUsage]) -> tuple[int, int, int]:
    known = [(one.references > 0, max(one.size, 0)) for one in volumes]
    return sum(used for used, _ in known), sum(size for _, size in known), sum(size for used, size in known if not used)


def _build_cache(records: Sequence[Mapping[str, Any]]) -> tuple[int, int, int]:
    sizes = [(bool(record.get("InUse")), bool(record.get("Shared")), int(record.get("Size", 0))) for record in records]
    total = sum(size for _, shared, size in sizes if not shared)
    return sum(used for used, _, _ in sizes), total, sum(size for used, shared, size in sizes if not used and not shared)
