"""What an archive of images holds: the members of ``docker save`` or of an OCI layout, by name, still in their file."""

import os
import posixpath
from dataclasses import dataclass

import msgspec

from argosy.base.errors import InvalidParameterError, NotFoundError
from argosy.images.index import Tree
from argosy.images.index import read as read_tree
from argosy.images.spool import Spool
from argosy.oci import digest as digests
from argosy.oci.descriptor import INDEXES, MANIFESTS, Descriptor, Index, Manifest
from argosy.storage.archive.entry import HARDLINK, REGULAR, SYMLINK, clean
from argosy.storage.archive.reader import Reader
from argosy.storage.archive.source import Source
from argosy.storage.ingest import Part

_MEMBERS = 200_000
_JSON = 16 << 20
_LINKS = 16


class Bundle:
    """An index of a spooled archive. Made by `read`."""

    def __init__(self, fd: int, members: dict[str, tuple[int, int]], links: dict[str, str]) -> None:
        self._fd = fd
        self._members = members
        self._links = links

    def find(self, name: str) -> Part | None:
        """Return the member, links within the archive followed."""
        for _ in range(_LINKS):
            name = posixpath.normpath(name).lstrip("/")
            if name in self._members:
                return Part(self._fd, *self._members[name])
            if name not in self._links:
                return None
            name = self._links[name]
        return None

    def part(self, name: str) -> Part:
        """Raises InvalidParameterError ``open x: no such file or directory``."""
        found = self.find(name)
        if found is None:
            raise InvalidParameterError(f"open {name}: no such file or directory")
        return found

    def data(self, name: str) -> bytes:
        """Return a small member's bytes."""
        return _bytes(self.part(name), name)

    def blob(self, digest: str) -> Part | None:
        algorithm, value = digests.split(digest)
        return self.find(f"blobs/{algorithm}/{value}")

    def blob_data(self, digest: str) -> bytes | None:
        """Return a small blob, verified; None if it is not there."""
        part = self.blob(digest)
        if part is None:
            return None
        data = _bytes(part, digest)
        if digests.of(data, digests.split(digest)[0]) != digest:
            raise InvalidParameterError(f"blob {digest} of the archive has another digest")
        return data


@dataclass(frozen=True, slots=True)
class Found:
    """One manifest of an OCI layout, with the name that the index gives it."""

    descriptor: Descriptor
    data: bytes
    manifest: Manifest
    names: tuple[str, ...]
    index: str = ""
    """Digest of the index that leads to it; empty: ``index.json`` names it itself."""


def read(spool: Spool) -> Bundle:
    """Index the archive; meant for a thread. Raises InvalidParameterError on a broken one."""
    source = Source(spool.fd, 0, spool.size)
    reader = Reader(source)
    members: dict[str, tuple[int, int]] = {}
    links: dict[str, str] = {}
    while (entry := reader.next()) is not None:
        name = os.fsdecode(clean(entry.name))
        if entry.kind == REGULAR and entry.sparse is None:
            members[name] = (source.position(), entry.stored)
        elif entry.kind == SYMLINK:
            links[name] = posixpath.join(posixpath.dirname(name), os.fsdecode(entry.linkname))
        elif entry.kind == HARDLINK:
            links[name] = os.fsdecode(clean(entry.linkname))
        if len(members) + len(links) > _MEMBERS:
            raise InvalidParameterError("the archive has too many members for one of images")
    return Bundle(spool.fd, members, links)


def manifests(bundle: Bundle) -> list[Found]:
    """Return every manifest of the archive that ``index.json`` leads to, nested indexes included."""
    if bundle.find("index.json") is None:
        return []
    try:
        index = msgspec.json.decode(bundle.data("index.json"), type=Index)
    except msgspec.DecodeError as error:
        raise InvalidParameterError(f"invalid index.json: {error}") from error
    found: dict[str, Found] = {}
    _collect(bundle, index, (), "", found, 0)
    return list(found.values())


def tree(bundle: Bundle, digest: str) -> Tree:
    """Return an index of the archive. Raises InvalidParameterError."""

    def blob(wanted: str) -> bytes:
        data = bundle.blob_data(wanted)
        if data is None:
            raise NotFoundError(f"blob {wanted} is not in the archive")
        return data

    return read_tree(digest, blob)


def _collect(bundle: Bundle, index: Index, names: tuple[str, ...], root: str, found: dict[str, Found], depth: int) -> None:
    for descriptor in index.manifests:
        own = _names(descriptor) or names
        data = bundle.blob_data(descriptor.digest)
        if data is None:
            # An index may list platforms that the archive leaves out.
            continue
        try:
            if descriptor.media_type in INDEXES and depth < 4:
                nested = msgspec.json.decode(data, type=Index)
                _collect(bundle, nested, own, root or descriptor.digest, found, depth + 1)
            elif descriptor.media_type in MANIFESTS:
                manifest = msgspec.json.decode(data, type=Manifest)
                known = found.get(descriptor.digest)
                named = (*known.names, *own) if known is not None else own
                led = root or (known.index if known is not None else "")
                found[descriptor.digest] = Found(descriptor, data, manifest, tuple(dict.fromkeys(named)), led)
        except msgspec.DecodeError as error:
            raise InvalidParameterError(f"invalid manifest {descriptor.digest}: {error}") from error


def _names(descriptor: Descriptor) -> tuple[str, ...]:
    annotations = descriptor.annotations or {}
    name = annotations.get("io.containerd.image.name") or annotations.get("org.opencontainers.image.ref.name", "")
    # A bare tag, as skopeo and buildah write it, says nothing about the repository.
    return (name,) if ("/" in name or ":" in name) else ()


def _bytes(part: Part, name: str) -> bytes:
    if part.size > _JSON:
        raise InvalidParameterError(f"{name} of the archive is too large")
    return os.pread(part.fd, part.size, part.offset)
