"""The verbs of one repository (OCI distribution specification, "Endpoints")."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin

import msgspec

from argosy.base.errors import InvalidParameterError, SystemFailureError
from argosy.images.distribution.endpoints import Endpoint
from argosy.images.distribution.failures import RegistryError, TransportError
from argosy.images.distribution.http import Answer
from argosy.images.distribution.session import Session
from argosy.images.distribution.settings import RegistrySettings
from argosy.oci import digest as digests
from argosy.oci.descriptor import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, Descriptor
from argosy.oci.reference import Reference

SCHEMA1 = ("application/vnd.docker.distribution.manifest.v1+prettyjws", "application/vnd.docker.distribution.manifest.v1+json")
_ACCEPT = ", ".join((OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST))
_MANIFEST_LIMIT = 4 << 20
_TAGS_LIMIT = 16 << 20
_PAGES = 1000


@dataclass(frozen=True, slots=True)
class Fetched:
    """A manifest as it came."""

    media_type: str
    digest: str
    data: bytes


class Repository:
    """Of ``reference`` only the name matters. ``origin`` is that name with its registry."""

    def __init__(self, session: Session, reference: Reference, *, settings: RegistrySettings) -> None:
        self._session = session
        self.origin = reference.name
        path = self.path = reference.path
        self._base = f"/v2/{path}"
        self._pull = (f"repository:{path}:pull",)
        self._push = (f"repository:{path}:pull,push",)
        self._store = settings.timeouts.store

    @property
    def endpoint(self) -> Endpoint:
        return self._session.endpoint

    async def manifest(self, reference: str) -> Fetched:
        """Return the manifest or index of a tag or digest, verified. Raises RegistryError, TransportError."""
        url = f"{self._base}/manifests/{reference}"
        async with self._session.request("GET", url, scopes=self._pull, headers={"Accept": _ACCEPT}) as answer:
            data = await answer.body(_MANIFEST_LIMIT)
            kind = answer.headers.get("Content-Type", "").partition(";")[0].strip()
            told = answer.headers.get("Docker-Content-Digest", "")
        return Fetched(_media_type(kind, data), _verified(reference, told, data), data)

    async def manifest_digest(self, reference: str) -> str:
        """Return the digest of what a tag or digest names, empty where the registry tells none.

        Docker Hub counts a GET of a manifest as a pull, and a HEAD not at all. Raises as `manifest`, but with what the status
        alone tells.
        """
        url = f"{self._base}/manifests/{reference}"
        async with self._session.request("HEAD", url, scopes=self._pull, headers={"Accept": _ACCEPT}) as answer:
            told = answer.headers.get("Docker-Content-Digest", "")
        return told if digests.is_digest(told) else ""

    async def tags(self) -> list[str]:
        """Return all tags, page by page."""
        url = f"{self._base}/tags/list"
        found: list[str] = []
        for _ in range(_PAGES):
            async with self._session.request("GET", url, scopes=self._pull) as answer:
                data = await answer.body(_TAGS_LIMIT)
                following = _next(answer.headers.get("Link", ""))
            try:
                found += msgspec.json.decode(data, type=_Tags).tags or ()
            except msgspec.DecodeError as error:
                raise RegistryError(500, "", f"error parsing the list of tags: {error}") from error
            if not following:
                break
            url = urljoin(self._session.endpoint.url + url if "://" not in url else url, following)
        return found

    @asynccontextmanager
    async def blob(self, digest: str, offset: int = 0) -> AsyncIterator[tuple[Answer, int]]:
        """Yield the answer with a blob's bytes, and the offset from which they come: 0 where ranges are not served."""
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        url = f"{self._base}/blobs/{digest}"
        async with self._session.request("GET", url, scopes=self._pull, headers=headers, ok=(200, 206)) as answer:
            yield answer, _begin(answer.headers.get("Content-Range", ""), offset) if answer.status == 206 else 0

    async def small_blob(self, blob: Descriptor, limit: int) -> bytes:
        """Return a blob that fits into memory, verified."""
        if blob.size > limit:
            raise InvalidParameterError(f"blob {blob.digest} is too large for what it is: {blob.size} bytes")
        async with self.blob(blob.digest) as (answer, _):
            data = await answer.body(limit)
        if digests.of(data, blob.digest.partition(":")[0]) != blob.digest:
            raise SystemFailureError(f"image config verification failed for digest {blob.digest}")
        return data

    @asynccontextmanager
    async def foreign(self, url: str, offset: int) -> AsyncIterator[tuple[Answer, int]]:
        """The same, from a URL that the descriptor names."""
        if not url.startswith(("https://", "http://")):
            raise RegistryError(400, "", f"unsupported layer url {url}")
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        async with self._session.anonymous("GET", url, headers=headers, ok=(200, 206)) as answer:
            yield answer, _begin(answer.headers.get("Content-Range", ""), offset) if answer.status == 206 else 0

    # ------------------------------------------------------------ pushing

    async def blob_size(self, digest: str) -> int | None:
        """Return the size of a blob that the repository has, None if it has it not."""
        url = f"{self._base}/blobs/{digest}"
        try:
            async with self._session.request("HEAD", url, scopes=self._push) as answer:
                return int(answer.headers.get("Content-Length") or 0)
        except RegistryError as error:
            if error.status == 404:
                return None
            raise

    async def mount(self, digest: str, source: str) -> str:
        """Ask for a blob of another repository; return empty when it is there, else where to upload it."""
        scopes = (*self._push, f"repository:{source}:pull")
        url = f"{self._base}/blobs/uploads/?mount={digest}&from={quote(source, safe='')}"
        async with self._session.request("POST", url, scopes=scopes, data=b"", ok=(201, 202)) as answer:
            return "" if answer.status == 201 else self._location(answer)

    async def begin(self) -> str:
        """Return where a new upload goes."""
        async with self._session.request("POST", f"{self._base}/blobs/uploads/", scopes=self._push, data=b"", ok=(202,)) as answer:
            return self._location(answer)

    async def patch(self, location: str, data: AsyncIterator[bytes]) -> str:
        """Send bytes of an upload; return where it goes on."""
        return await self._send("PATCH", location, data, {}, (202, 204))

    async def finish(self, location: str, digest: str, data: bytes | AsyncIterator[bytes] = b"", size: int | None = None) -> None:
        """End an upload, or send all of it, as the blob ``digest``."""
        headers = {"Content-Length": str(size)} if size is not None else {}
        url = f"{location}{'&' if '?' in location else '?'}digest={quote(digest, safe='')}"
        await self._send("PUT", url, data, headers, (201, 204))

    async def _send(self, method: str, url: str, data: bytes | AsyncIterator[bytes], headers: Mapping[str, str], ok: Sequence[int]) -> str:
        """Send a part of an upload and return its next location. A registry that takes nothing any more is given up."""
        named = {"Content-Type": "application/octet-stream", **headers}
        try:
            async with asyncio.timeout(self._store) as limit:
                body = data if isinstance(data, bytes) else self._taken(data, limit)
                async with self._session.request(
                    method, url, scopes=self._push, headers=named, data=body, ok=ok, wait=self._store
                ) as answer:
                    return urljoin(answer.url, answer.headers.get("Location", ""))
        except TimeoutError as error:
            raise TransportError(f'{method.title()} "{url.partition("?")[0]}": i/o timeout') from error

    async def _taken(self, pieces: AsyncIterator[bytes], limit: asyncio.Timeout) -> AsyncIterator[bytes]:
        async for piece in pieces:
            limit.reschedule(asyncio.get_running_loop().time() + self._store)
            yield piece

    async def put_manifest(self, reference: str, media_type: str, data: bytes) -> None:
        headers = {"Content-Type": media_type}
        url = f"{self._base}/manifests/{reference}"
        async with self._session.request("PUT", url, scopes=self._push, headers=headers, data=data, ok=(200, 201, 202), wait=self._store):
            pass

    def _location(self, answer: Answer) -> str:
        found = answer.headers.get("Location", "")
        if not found:
            raise RegistryError(500, "", "the registry does not say where to upload to")
        return urljoin(answer.url, found)


class _Tags(msgspec.Struct):
    tags: tuple[str, ...] | None = None


class _Kind(msgspec.Struct, rename="camel"):
    media_type: str = ""
    schema_version: int = 0
    manifests: Any = None


def _media_type(told: str, data: bytes) -> str:
    """Return the kind of a manifest; some registries tell none that means anything."""
    if told in (OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST, *SCHEMA1):
        return told
    try:
        found = msgspec.json.decode(data, type=_Kind)
    except msgspec.DecodeError:
        return told
    if found.schema_version == 1:
        return SCHEMA1[0]
    return found.media_type or (OCI_INDEX if found.manifests is not None else OCI_MANIFEST if found.schema_version == 2 else told)


def _verified(reference: str, told: str, data: bytes) -> str:
    """Return the digest of a manifest that is what was asked for."""
    wanted = reference if digests.is_digest(reference) else ""
    algorithm = wanted.partition(":")[0] or "sha256"
    digest = digests.of(data, algorithm)
    if wanted and digest != wanted:
        raise InvalidParameterError(f"manifest verification failed for digest {wanted}")
    if not wanted and told.startswith("sha256:") and told != digest:
        raise InvalidParameterError(f"manifest verification failed for digest {told}")
    return digest


def _begin(content_range: str, asked: int) -> int:
    """Return the first offset of ``bytes 5-9/10``; what cannot be read is taken for what was asked."""
    first = content_range.removeprefix("bytes ").partition("-")[0]
    return int(first) if first.isdigit() else asked


def _next(link: str) -> str:
    """Return the target of ``<…>; rel="next"`` (RFC 8288)."""
    target, _, rest = link.partition(">")
    return target.strip().removeprefix("<") if 'rel="next"' in rest or "rel=next" in rest else ""
