"""From a reference to the one manifest to pull."""

from dataclasses import dataclass
from typing import TypeVar

import msgspec

from argosy.base.errors import InvalidParameterError, NotFoundError, SystemFailureError
from argosy.images import platforms
from argosy.images.distribution.failures import RegistryError
from argosy.images.distribution.repository import SCHEMA1, Fetched, Repository
from argosy.images.platforms import Platform
from argosy.oci.descriptor import INDEXES, MANIFESTS, Index, Manifest
from argosy.oci.reference import Reference

_NESTED = 4
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Target:
    digest: str
    """Of what the reference named, an index perhaps: the one that users see."""
    fetched: Fetched
    manifest: Manifest
    indexes: tuple[Fetched, ...] = ()
    """What led to the manifest, the outermost first."""

    @property
    def index(self) -> str:
        return self.indexes[0].digest if self.indexes else ""


async def digest_of(repository: Repository, reference: Reference) -> str:
    """Return the digest of what the reference names, empty where a HEAD does not tell; `named` will say why then."""
    if reference.digest:
        return reference.digest
    try:
        return await repository.manifest_digest(reference.tag)
    except RegistryError:
        return ""


async def named(repository: Repository, reference: Reference, digest: str = "") -> Fetched:
    """Return what the reference names, by its digest where that is known. Raises as `Repository.manifest`."""
    return await repository.manifest(digest or reference.digest or reference.tag)


async def choose(repository: Repository, found: Fetched, reference: Reference, platform: Platform) -> Target:
    """Return the manifest for the platform. Raises in Docker's words where none is, or what is there is no image."""
    digest = found.digest
    indexes: list[Fetched] = []
    for _ in range(_NESTED):
        if found.media_type not in INDEXES:
            return Target(digest, found, manifest(found, reference), tuple(indexes))
        indexes.append(found)
        entry = platforms.choose(decoded(found, Index).manifests, platform)
        if entry is None:
            raise NotFoundError(
                f"no matching manifest for {platform} in the manifest list entries: no match for platform in manifest: not found"
            )
        found = await repository.manifest(entry.digest)
    raise InvalidParameterError(f"the index {digest} leads to more indexes than are followed")


def manifest(found: Fetched, reference: Reference) -> Manifest:
    """Return the manifest of an image. Raises InvalidParameterError where it is something else."""
    if found.media_type in SCHEMA1:
        raise InvalidParameterError(
            "[DEPRECATION NOTICE] Docker Image Format v1 and Docker Image manifest version 2, schema 1 support is disabled by default "
            f"and will be removed in an upcoming release. Suggest the author of {reference} to upgrade the image to the OCI Format or "
            "Docker Image manifest v2, schema 2. More information at https://docs.docker.com/go/deprecated-image-specs/"
        )
    if found.media_type not in MANIFESTS:
        raise InvalidParameterError(f"unsupported manifest media type: {found.media_type}")
    read = decoded(found, Manifest)
    # Other artifacts (charts, signatures) have a configuration that describes no container.
    if "image" not in read.config.media_type:
        raise InvalidParameterError(f'Encountered remote "{read.config.media_type}"(unknown) when fetching')
    return read


def decoded(found: Fetched, kind: type[T]) -> T:
    """Return a manifest or index. Raises SystemFailureError."""
    try:
        return msgspec.json.decode(found.data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SystemFailureError(f"error parsing manifest {found.digest}: {error}") from error
