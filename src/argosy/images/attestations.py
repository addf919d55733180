"""The in-toto statements about an image that came with its index (buildkit ``docs/attestations``)."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from argosy.base.errors import NotFoundError
from argosy.images import platforms
from argosy.images.manifests import REFERENCE, wire
from argosy.images.record import Image
from argosy.oci.descriptor import Descriptor, Manifest
from argosy.storage.content import Content

_PREDICATE = "in-toto.io/predicate-type"


def statements(image: Image, content: Content, *, types: Collection[str], whole: bool) -> list[Mapping[str, Any]]:
    """Return the API's AttestationStatement for each statement that is here; with ``whole`` its JSON too.

    ``types``: predicate types to return, none for all. Reads files: meant for a thread.
    """
    found: list[Mapping[str, Any]] = []
    for entry in image.index.manifests if image.index is not None else ():
        if not platforms.is_attestation(entry) or (entry.annotations or {}).get(REFERENCE) != image.record.manifest:
            continue
        for layer in _layers(entry, content):
            kind = (layer.annotations or {}).get(_PREDICATE, "")
            if (not types or kind in types) and content.has(layer.digest):
                body = {"Statement": _statement(layer, content)} if whole else {}
                found.append({"Descriptor": wire(layer), "PredicateType": kind, **body})
    return found


def _layers(entry: Descriptor, content: Content) -> tuple[Descriptor, ...]:
    try:
        return msgspec.json.decode(content.read(entry.digest), type=Manifest).layers
    except (NotFoundError, msgspec.DecodeError):
        return ()


def _statement(layer: Descriptor, content: Content) -> msgspec.Raw | None:
    """Return a statement byte for byte; None where the blob is no JSON."""
    data = content.read(layer.digest)
    try:
        msgspec.json.decode(data)
    except msgspec.DecodeError:
        return None
    return msgspec.Raw(data)
