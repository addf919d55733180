"""What `GET /images/json?manifests=1` tells of an image's manifest (API 1.47, ImageManifestSummary). Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from argosy.images.record import Image
from argosy.oci.descriptor import OCI_MANIFEST


def summary(image: Image, *, size: int, content: int, containers: Sequence[str]) -> Mapping[str, Any]:
    """Return the one manifest that is kept of an image: that of this host's platform, or the one that was loaded.

    ``size``: bytes of the manifest itself; ``content``: bytes of all blobs that are kept of the image, the manifest included.
    """
    platform = {"architecture": image.view.architecture, "os": image.view.os}
    if image.view.variant:
        platform["variant"] = image.view.variant
    unpacked = image.view.size
    media_type = image.manifest.media_type or OCI_MANIFEST
    return {
        "ID": image.record.manifest,
        "Descriptor": {"mediaType": media_type, "digest": image.record.manifest, "size": size, "platform": platform},
        "Available": True,
        "Size": {"Content": content, "Total": content + unpacked},
        "Kind": "image",
        "ImageData": {"Platform": platform, "Containers": list(containers), "Size": {"Unpacked": unpacked}},
    }
