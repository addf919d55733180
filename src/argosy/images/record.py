"""What is kept of an image in ``state.db``, and the image as the rest of the daemon sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from argosy.images.index import Tree
from argosy.images.model import ImageView
from argosy.images.platforms import Platform
from argosy.oci.descriptor import Manifest
from argosy.oci.image import ImageConfig, from_wire
from argosy.storage.layer import chain_ids

IMAGES = "image"
NAMES = "image-name"
USES = "image-use"
"""Image id → ns since the epoch, in digits: when a container was last made from it, to the hour. Apart, since it promises nothing."""


class ImageRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """Under the image's id. Everything else follows from the blobs that it names."""

    manifest: str
    """Digest of the manifest that it came with, or that was made for it."""
    arrived: int = 0
    """ns since the epoch."""
    parent: str = ""
    """Image id, known for commits and builds on this host."""
    last_tagged: int = 0
    index: str = ""
    """Digest of the index (manifest list) by which it came; empty for none."""


class NameRecord(msgspec.Struct, frozen=True):
    """Under the full reference, ``docker.io/library/x:latest`` or ``…@sha256:…``."""

    image: str
    manifest: str


@dataclass(frozen=True, slots=True)
class Image:
    id: str
    record: ImageRecord
    config: ImageConfig
    manifest: Manifest
    chains: tuple[str, ...]
    """Chain ID of each layer, lowest first."""
    view: ImageView
    created: int
    """ns since the epoch, from the configuration."""
    index: Tree | None = None
    """The index by which it came."""

    @property
    def platform(self) -> Platform:
        return Platform(self.config.os or "linux", self.config.architecture, self.config.variant)

    @property
    def chain(self) -> str | None:
        return self.chains[-1] if self.chains else None

    @property
    def labels(self) -> Mapping[str, str]:
        return self.view.config.labels or {}


def make(image_id: str, record: ImageRecord, config: ImageConfig, manifest: Manifest, size: int, index: Tree | None = None) -> Image:
    """Return the image of these parts; ``size`` is that of its layers' files."""
    chains = tuple(chain_ids(list(config.diff_ids)))
    view = ImageView(
        id=image_id,
        manifest=record.manifest,
        chain_id=chains[-1] if chains else None,
        config=from_wire(config.config),
        os=config.os or "linux",
        architecture=config.architecture,
        variant=config.variant,
        size=size,
    )
    return Image(image_id, record, config, manifest, chains, view, nanoseconds(config.created), index)


def nanoseconds(text: str | None) -> int:
    """Return ns since the epoch of an RFC 3339 time; 0 for none, an unreadable one, or Go's zero time."""
    if not text:
        return 0
    body, _, rest = text.partition(".")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    fraction, zone = (rest[:digits], rest[digits:]) if rest else ("", "")
    try:
        seconds = datetime.fromisoformat(body + (zone if rest else "")).timestamp()
    except (ValueError, OverflowError):
        return 0
    return max(0, int(seconds) * 1_000_000_000 + int(fraction[:9].ljust(9, "0") or 0))
