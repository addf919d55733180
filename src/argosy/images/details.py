"""``docker image inspect`` and ``docker history``."""

from collections.abc import Mapping, Sequence
from typing import Any

from argosy.images.catalog import Catalog
from argosy.images.model import HistoryEntry, ImageDetail
from argosy.images.record import Image, nanoseconds
from argosy.oci.image import from_wire
from argosy.storage.snapshots import Snapshots


def detail(
    image: Image, *, catalog: Catalog, snapshots: Snapshots, descriptor: Mapping[str, Any], manifests: Sequence[Mapping[str, Any]] = ()
) -> ImageDetail:
    """Return everything that inspect shows."""
    names = catalog.shown_names(image.id)
    config = image.config
    return ImageDetail(
        id=image.id,
        repo_tags=tuple(name.familiar for name in names if not name.digest),
        repo_digests=tuple(name.familiar for name in names if name.digest),
        parent=image.record.parent,
        comment=config.comment or (config.history[-1].comment if config.history else ""),
        created=config.created or "",
        author=config.author,
        docker_version=config.docker_version,
        architecture=config.architecture,
        variant=config.variant,
        os=config.os or "linux",
        os_version=config.os_version,
        size=image.view.size,
        config=image.view.config,
        graph_driver=snapshots.driver,
        graph_data=snapshots.image_graph_data(image.chain),
        diff_ids=config.diff_ids,
        last_tag_time=image.record.last_tagged,
        descriptor=descriptor,
        manifests=tuple(manifests),
        repositories=tuple(dict.fromkeys(name.name for name in names if name.digest)),
        container=config.container,
        container_config=from_wire(config.container_config) if config.container_config is not None else None,
    )


def history(image: Image, *, catalog: Catalog, snapshots: Snapshots) -> list[HistoryEntry]:
    """Return the steps that made the image, newest first; ids are known of the image and its parents on this host."""
    chains = list(image.chains)
    sizes = []
    for step in image.config.history or ():
        has_layer = not step.empty_layer and chains
        sizes.append(snapshots.layers.get(chains.pop(0)).size if has_layer else 0)
    steps = list(zip(image.config.history or (), sizes))[::-1]
    lineage = _lineage(image, catalog)
    entries = []
    for number, (step, size) in enumerate(steps):
        one = lineage[number] if number < len(lineage) else None
        entries.append(
            HistoryEntry(
                id=one.id if one is not None else "<missing>",
                created=nanoseconds(step.created) // 10**9,
                created_by=step.created_by,
                tags=tuple(name.familiar for name in catalog.references(one.id) if not name.digest) if one is not None else (),
                size=size,
                comment=step.comment,
            )
        )
    return entries


def _lineage(image: Image, catalog: Catalog) -> list[Image]:
    found = [image]
    while (parent := catalog.get(found[-1].record.parent)) is not None and parent not in found:
        found.append(parent)
    return found
