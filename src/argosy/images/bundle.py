"""What an archive of images holds: the members of ``docker save`` or of an OCI layout, by name, still in their file."""

import os
import posixpath
from dataclasses import dataclass, replace

import msgspec

from argosy.base.errors import InvalidParameterError, NotFoundError
from argosy.base.units import human_size
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
_NESTED = 4
_STEPS = 20_000
_MANIFESTS = 64 << 20


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
    walk = _Walk(bundle)
    walk.collect(index, (), "", 0)
    return list(walk.found.values())


def tree(bundle: Bundle, digest: str) -> Tree:
    """Return an index of the archive. Raises InvalidParameterError."""

    def blob(wanted: str) -> bytes:
        data = bundle.blob_data(wanted)
        if data is None:
            raise NotFoundError(f"blob {wanted} is not in the archive")
        return data

    return read_tree(digest, blob)


class _Walk:
    """Through the indexes of an archive. What one names again and again is looked at again and again, so steps are counted."""

    def __init__(self, bundle: Bundle) -> None:
        self.found: dict[str, Found] = {}
        self._bundle = bundle
        self._steps = 0
        self._bytes = 0

    def collect(self, index: Index, names: tuple[str, ...], root: str, depth: int) -> None:
        """Take what an index names; ``root`` is the outermost index that led to it, and ``names`` what it is called there."""
        for descriptor in index.manifests:
            own = _names(descriptor) or names
            data = self._data(descriptor.digest)
            if data is None:
                # An index may list platforms that the archive leaves out.
                continue
            try:
                if descriptor.media_type in INDEXES and depth < _NESTED:
                    self.collect(msgspec.json.decode(data, type=Index), own, root or descriptor.digest, depth + 1)
                elif descriptor.media_type in MANIFESTS:
                    self._take(descriptor, data, own, root)
            except msgspec.DecodeError as error:
                raise InvalidParameterError(f"invalid manifest {descriptor.digest}: {error}") from error

    def _take(self, descriptor: Descriptor, data: bytes, names: tuple[str, ...], root: str) -> None:
        known = self.found.get(descriptor.digest)
        if known is None:
            self.found[descriptor.digest] = Found(descriptor, data, msgspec.json.decode(data, type=Manifest), names, root)
        else:
            named = tuple(dict.fromkeys((*known.names, *names)))
            self.found[descriptor.digest] = replace(known, names=named, index=root or known.index)

    def _data(self, digest: str) -> bytes | None:
        known = self.found.get(digest)
        data = known.data if known is not None else self._bundle.blob_data(digest)
        self._steps += 1
        self._bytes += len(data or b"") if known is None else 0
        if self._steps > _STEPS or self._bytes > _MANIFESTS:
            raise InvalidParameterError(
                f"the indexes of the archive name more than {_STEPS} manifests, or {human_size(_MANIFESTS)} of them, which is no image's"
            )
        return data


def _names(descriptor: Descriptor) -> tuple[str, ...]:
    annotations = descriptor.annotations or {}
    name = annotations.get("io.containerd.image.name") or annotations.get("org.opencontainers.image.ref.name", "")
    # A bare tag, as skopeo and buildah write it, says nothing about the repository.
    return (name,) if ("/" in name or ":" in name) else ()


def _bytes(part: Part, name: str) -> bytes:
    if part.size > _JSON:
        raise InvalidParameterError(f"{name} of the archive is too large")
    return os.pread(part.fd, part.size, part.offset)
