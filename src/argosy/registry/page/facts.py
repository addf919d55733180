"""What the page shows, looked up in the files; for a thread."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.registry.errors import RegistryError
from argosy.registry.manifest import Manifest
from argosy.registry.storage.layout import Layout
from argosy.registry.storage.manifests import Manifests, Stored
from argosy.registry.usage import tree_size

_LARGEST_CONFIG = 1 << 20


@dataclass(frozen=True, slots=True)
class RepositoryRow:
    name: str
    tags: int
    size: int
    """Bytes of its blobs; what it shares with others counts too."""
    pushed: float
    """Seconds since the epoch, 0 for never."""


@dataclass(frozen=True, slots=True)
class TagRow:
    tag: str
    digest: str
    kind: str
    platforms: tuple[str, ...]
    size: int
    pushed: float
    referrers: int


@dataclass(frozen=True, slots=True)
class LayerRow:
    digest: str
    size: int
    media_type: str
    made_by: str


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """One manifest; an index has ``images`` and no layers."""

    digest: str
    media_type: str
    platform: str
    size: int
    layers: tuple[LayerRow, ...]
    images: "tuple[ImageFacts, ...]"
    config: Mapping[str, Any]
    annotations: Mapping[str, str]


class Facts:
    def __init__(self, *, layout: Layout, manifests: Manifests) -> None:
        self._layout = layout
        self._manifests = manifests

    def repository(self, name: str) -> RepositoryRow:
        tags = self._manifests.tags(name)
        pushed = max((_modified(self._layout.tag(name, tag)) for tag in tags), default=0.0)
        return RepositoryRow(name, len(tags), tree_size(f"{self._layout.repository(name)}/_blobs"), pushed)

    def tags(self, name: str) -> list[TagRow]:
        """Return the tags, the last pushed first."""
        rows = []
        for tag in self._manifests.tags(name):
            stored = self._manifests.read(name, tag)
            view = _view(stored)
            if stored is None or view is None:
                continue
            platforms = tuple(dict.fromkeys(part.platform for part in view.manifests if part.platform and "unknown" not in part.platform))
            if not platforms and view.config:
                platforms = (_platform(self._config(name, view.config)),)
            kind = "index" if view.manifests else ("artifact" if _is_artifact(view) else "image")
            size = self._size(name, stored, view)
            referrers = len(self._manifests.referrers(name, stored.digest))
            rows.append(TagRow(tag, stored.digest, kind, platforms, size, _modified(self._layout.tag(name, tag)), referrers))
        return sorted(rows, key=lambda row: (-row.pushed, row.tag))

    def image(self, name: str, reference: str, *, depth: int = 2) -> ImageFacts | None:
        stored = self._manifests.read(name, reference)
        view = _view(stored)
        if stored is None or view is None:
            return None
        config = self._config(name, view.config) if view.config else {}
        images = tuple(found for part in view.manifests if depth and (found := self.image(name, part.digest, depth=depth - 1)))
        layers = tuple(_layers(view, config))
        return ImageFacts(
            stored.digest,
            stored.media_type,
            _platform(config),
            self._size(name, stored, view),
            layers,
            images,
            config,
            view.annotations or {},
        )

    def _size(self, name: str, stored: Stored, view: Manifest) -> int:
        below = 0
        for part in view.manifests:
            child = self._manifests.read(name, part.digest)
            child_view = _view(child)
            if child is not None and child_view is not None:
                below += self._size(name, child, child_view)
        return len(stored.data) + sum(part.size for part in view.blobs) + below

    def _config(self, name: str, digest: str) -> Mapping[str, Any]:
        path = self._layout.blob(name, digest)
        try:
            if os.stat(path).st_size > _LARGEST_CONFIG:
                return {}
            with open(path, "rb") as file:
                value = msgspec.json.decode(file.read())
        except (OSError, msgspec.DecodeError):
            return {}
        return value if isinstance(value, dict) else {}


def _view(stored: Stored | None) -> Manifest | None:
    try:
        return stored.view() if stored is not None else None
    except RegistryError:
        return None


def _is_artifact(view: Manifest) -> bool:
    return bool(view.artifact_type) and "image.config" not in view.artifact_type and "container.image" not in view.artifact_type


def _platform(config: Mapping[str, Any]) -> str:
    return "/".join(str(config[key]) for key in ("os", "architecture", "variant") if config.get(key))


def _layers(view: Manifest, config: Mapping[str, Any]) -> list[LayerRow]:
    parts = [part for part in (*view.blobs, *view.foreign) if part.digest != view.config]
    history = [entry for entry in config.get("history") or [] if isinstance(entry, dict) and not entry.get("empty_layer")]
    words = [str(entry.get("created_by", "")) for entry in history] if len(history) == len(parts) else [""] * len(parts)
    return [LayerRow(part.digest, part.size, part.media_type, made_by) for part, made_by in zip(parts, words, strict=True)]


def _modified(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except FileNotFoundError:
        return 0.0
