"""Images on the wire: inspect, list, history."""

from typing import Any

from argosy.api.convert.config import container_config, image_config
from argosy.base.clock import rfc3339_nano
from argosy.images.model import HistoryEntry, ImageDetail, ImageSummary
from argosy.oci.config import Config

_EMPTY = Config()


def inspect(image: ImageDetail, version: int) -> dict[str, Any]:
    """Return ``GET /images/{name}/json``.

    Gone since: ``VirtualSize`` 1.44, ``Container`` and ``ContainerConfig`` 1.45, ``DockerVersion`` 1.52; since then empty
    texts are left out.
    """
    wire: dict[str, Any] = {"Id": image.id}
    if version >= 48 and image.descriptor:
        wire["Descriptor"] = dict(image.descriptor)
    if version >= 48 and image.manifests:
        wire["Manifests"] = [dict(manifest) for manifest in image.manifests]
    if version >= 53 and image.repositories:
        wire["Identity"] = {"Pull": [{"Repository": name} for name in image.repositories]}
    wire |= {"RepoTags": list(image.repo_tags), "RepoDigests": list(image.repo_digests)}
    texts = {"Parent": image.parent, "Comment": image.comment, "Author": image.author}
    if version < 52:
        texts["DockerVersion"] = image.docker_version
    wire |= {name: text for name, text in texts.items() if text or version < 52}
    if image.created or version < 44:
        wire["Created"] = image.created or rfc3339_nano(0)
    if version < 45:
        if image.container:
            wire["Container"] = image.container
        wire["ContainerConfig"] = _template(image.container_config or _EMPTY, version)
    wire["Architecture"] = image.architecture
    if image.variant:
        wire["Variant"] = image.variant
    wire["Os"] = image.os
    if image.os_version:
        wire["OsVersion"] = image.os_version
    wire["Size"] = image.size
    if version < 44 and image.size:
        wire["VirtualSize"] = image.size
    return wire | {
        "GraphDriver": {"Data": dict(image.graph_data) or None, "Name": image.graph_driver},
        "RootFS": {"Type": "layers"} | ({"Layers": list(image.diff_ids)} if image.diff_ids else {}),
        "Metadata": {"LastTagTime": rfc3339_nano(image.last_tag_time)},
        "Config": image_config(image.config, version),
    }


def _template(config: Config, version: int) -> dict[str, Any]:
    wire = container_config(config, version)
    wire["Labels"] = None if config.labels is None else dict(config.labels)
    return wire


def summary(image: ImageSummary, version: int) -> dict[str, Any]:
    """Return one entry of ``GET /images/json``; up to 1.42 untagged images had ``<none>`` names, and no names were null."""
    tags: list[str] | None = list(image.repo_tags)
    digests: list[str] | None = list(image.repo_digests)
    if version < 43:
        untagged = not tags and not digests
        tags, digests = (["<none>:<none>"], ["<none>@<none>"]) if untagged else (tags or None, digests or None)
    wire: dict[str, Any] = {
        "Containers": image.containers if version >= 51 else -1,
        "Created": image.created,
        "Id": image.id,
        "Labels": None if image.labels is None else dict(image.labels),
        "ParentId": image.parent_id,
        "RepoDigests": digests,
        "RepoTags": tags,
        "SharedSize": image.shared_size,
        "Size": image.size,
    }
    if version < 44 and image.size:
        wire["VirtualSize"] = image.size
    if version >= 48 and image.descriptor:
        wire["Descriptor"] = dict(image.descriptor)
    if image.manifests is not None and version >= 47:
        wire["Manifests"] = [dict(manifest) for manifest in image.manifests]
    return wire


def history(entry: HistoryEntry) -> dict[str, Any]:
    return {
        "Comment": entry.comment,
        "Created": entry.created,
        "CreatedBy": entry.created_by,
        "Id": entry.id,
        "Size": entry.size,
        "Tags": list(entry.tags) or None,
    }
