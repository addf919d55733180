"""Values of the image layer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from argosy.oci.config import Config

Changes = Callable[[Config, Sequence[str]], Config]
"""Carries out ``--change`` instructions; the grammar lies above this layer."""


@dataclass(frozen=True, slots=True)
class ImageView:
    """What create needs of an image."""

    id: str
    """``sha256:`` of its config."""
    manifest: str
    chain_id: str | None
    """Of its top layer; None for an image without layers."""
    config: Config
    os: str
    architecture: str
    variant: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class CommitRequest:
    snapshot: str
    parent_image: str
    container_id: str
    config: Config
    reference: str
    """``repo:tag`` or empty."""
    author: str = ""
    comment: str = ""
    container_config: Config | None = None
    """What the container ran with, for the history; None: ``config``."""


@dataclass(frozen=True, slots=True)
class ImageSummary:
    id: str
    parent_id: str
    repo_tags: tuple[str, ...]
    repo_digests: tuple[str, ...]
    created: int
    """Seconds since the epoch."""
    size: int
    shared_size: int
    containers: int
    labels: Mapping[str, str] | None
    descriptor: Mapping[str, Any] = field(default_factory=dict)
    manifests: tuple[Mapping[str, Any], ...] | None = None
    """None: not asked for."""


@dataclass(frozen=True, slots=True)
class ImageDetail:
    id: str
    repo_tags: tuple[str, ...]
    repo_digests: tuple[str, ...]
    parent: str
    comment: str
    created: str
    author: str
    docker_version: str
    architecture: str
    variant: str
    os: str
    os_version: str
    size: int
    config: Config
    graph_driver: str
    graph_data: Mapping[str, str]
    diff_ids: tuple[str, ...]
    last_tag_time: int
    descriptor: Mapping[str, Any]
    manifests: tuple[Mapping[str, Any], ...] = ()
    repositories: tuple[str, ...] = ()
    """Full names of the registries' repositories that are known to have it."""
    container: str = ""
    container_config: Config | None = None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    id: str
    created: int
    created_by: str
    tags: tuple[str, ...]
    size: int
    comment: str
