"""Manifests, tags and referrers of a repository."""

import os
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.base import failpoints
from argosy.oci import digest as digests
from argosy.registry import manifest as manifests
from argosy.registry.errors import RegistryError
from argosy.registry.manifest import Manifest
from argosy.registry.storage import locks
from argosy.registry.storage.layout import Layout
from argosy.registry.storage.leases import renew
from argosy.registry.storage.writing import read_file, remove, sync_directory, write_file


@dataclass(frozen=True, slots=True)
class Stored:
    digest: str
    media_type: str
    data: bytes

    def view(self) -> Manifest:
        return manifests.read(self.data, self.media_type)


class Manifests:
    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    # ------------------------------------------------------------------ reading

    def exists(self, name: str) -> bool:
        """Say whether there is such a repository: something was pushed to it, and not all of it was removed."""
        return os.path.isdir(f"{self._layout.repository(name)}/_manifests")

    def resolve(self, name: str, reference: str) -> str | None:
        """Return the digest that a tag or digest stands for, None for an unknown tag."""
        if ":" in reference:
            return reference
        data = read_file(self._layout.tag(name, reference))
        return data.decode().strip() if data else None

    def read(self, name: str, reference: str) -> Stored | None:
        """Return a manifest by tag or digest."""
        digest = self.resolve(name, reference)
        data = read_file(self._layout.manifest(name, digest)) if digest else None
        if data is None or digest is None:
            return None
        media_type, _, content = data.partition(b"\n")
        return Stored(digest, media_type.decode(), content)

    def promise(self, name: str, digest: str) -> None:
        """Gc keeps the manifest for the grace time from now, because a client is told that it need not send it."""
        renew(self._layout, name, self._layout.manifest(name, digest))

    def has(self, name: str, digest: str) -> bool:
        return os.path.exists(self._layout.manifest(name, digest))

    def tags(self, name: str) -> list[str]:
        """Return the tags in order of their bytes."""
        try:
            return sorted(os.listdir(self._layout.tags(name)))
        except FileNotFoundError:
            return []

    def digests(self, name: str) -> list[str]:
        """Return the digests of all manifests."""
        return list_digests(f"{self._layout.repository(name)}/_manifests")

    def referrers(self, name: str, subject: str) -> list[dict[str, Any]]:
        """Return descriptors of the manifests whose subject is the digest, in order of their digests.

        Those of the tag ``sha256-…`` too, in which clients keep the list where a registry has no referrers API.
        """
        found: dict[str, dict[str, Any]] = {}
        fallback = self.read(name, subject.replace(":", "-", 1))
        if fallback is not None:
            for descriptor in _index_entries(fallback.data):
                if self.has(name, descriptor["digest"]):
                    found[descriptor["digest"]] = descriptor
        folder = self._layout.referrers(name, subject)
        try:
            entries = os.listdir(folder)
        except FileNotFoundError:
            entries = []
        for entry in entries:
            digest = entry.replace("-", ":", 1)
            data = read_file(f"{folder}/{entry}")
            if data and self.has(name, digest):
                found[digest] = msgspec.json.decode(data)
        return [found[digest] for digest in sorted(found)]

    # ------------------------------------------------------------------ writing

    def put(self, name: str, stored: Stored, view: Manifest, tags: list[str], *, sparse: bool = False) -> None:
        """Keep a manifest and let tags stand for it.

        Raises RegistryError MANIFEST_BLOB_UNKNOWN when the repository does not hold what it names (``sparse``: not looked at).
        """
        layout = self._layout
        with locks.adding(layout, name):
            if not sparse:
                self._check(name, view)
            if view.subject:
                descriptor = msgspec.json.encode(view.descriptor(stored.digest, len(stored.data)))
                write_file(layout, layout.referrer(name, view.subject, stored.digest), descriptor)
                failpoints.hit("registry.manifest.referrer")
            write_file(layout, layout.manifest(name, stored.digest), stored.media_type.encode() + b"\n" + stored.data)
            failpoints.hit("registry.manifest.stored")
            for tag in tags:
                write_file(layout, layout.tag(name, tag), stored.digest.encode())
            failpoints.hit("registry.manifest.tagged")

    def _check(self, name: str, view: Manifest) -> None:
        layout = self._layout
        missing = [part.digest for part in view.blobs if not os.path.exists(layout.blob(name, part.digest))]
        missing += [part.digest for part in view.manifests if not os.path.exists(layout.manifest(name, part.digest))]
        if missing:
            raise RegistryError("MANIFEST_BLOB_UNKNOWN", f"blob unknown to registry: {', '.join(missing)}", detail={"digests": missing})

    def remove_tag(self, name: str, tag: str) -> bool:
        """False when there is no such tag."""
        with locks.removing(self._layout, name):
            gone = remove(self._layout.tag(name, tag))
            if gone:
                sync_directory(self._layout.tags(name))
        return gone

    def remove(self, name: str, digest: str) -> bool:
        """Remove a manifest and every tag that stands for it; False when there is none."""
        with locks.removing(self._layout, name):
            return self.remove_locked(name, digest)

    def remove_locked(self, name: str, digest: str) -> bool:
        """As `remove`, for who holds the repository's lock."""
        stored = self.read(name, digest)
        if stored is None:
            return False
        for tag in self.tags(name):
            if self.resolve(name, tag) == digest:
                remove(self._layout.tag(name, tag))
        remove(self._layout.manifest(name, digest))
        sync_directory(os.path.dirname(self._layout.manifest(name, digest)))
        subject = stored.view().subject
        if subject:
            remove(self._layout.referrer(name, subject, digest))
        return True


def list_digests(folder: str) -> list[str]:
    """Return the digests that ``folder/ALGORITHM/HEX`` hold."""
    found = []
    for algorithm in ("sha256", "sha512"):
        try:
            found += [f"{algorithm}:{value}" for value in os.listdir(f"{folder}/{algorithm}")]
        except FileNotFoundError:
            continue
    return found


def _index_entries(data: bytes) -> list[dict[str, Any]]:
    try:
        entries = msgspec.json.decode(data).get("manifests", [])
        return [entry for entry in entries if digests.is_digest(entry["digest"])]
    except (msgspec.DecodeError, AttributeError, KeyError, TypeError):
        return []
