"""Manifests and indexes: HEAD, GET, PUT, DELETE, by tag and by digest; referrers."""

import asyncio

import msgspec

from argosy.oci import digest as digests
from argosy.oci.descriptor import OCI_INDEX
from argosy.registry import manifest as manifests
from argosy.registry.errors import RegistryError, manifest_unknown, name_unknown
from argosy.registry.handlers.blobs import matches
from argosy.registry.http.answer import Answer, AnyAnswer
from argosy.registry.http.request import Request
from argosy.registry.names import Target, check_digest, check_reference, is_tag
from argosy.registry.storage.manifests import Manifests, Stored


class ManifestHandlers:
    def __init__(self, *, manifests: Manifests) -> None:
        self._manifests = manifests

    async def get(self, request: Request, target: Target) -> AnyAnswer:
        """Also HEAD: the answer leaves its body out."""
        check_reference(target.name, target.reference)
        stored = await asyncio.to_thread(self._manifests.read, target.name, target.reference)
        if stored is None:
            raise await self._unknown(target)
        if request.method == "HEAD" and target.reference == stored.digest:
            await asyncio.to_thread(self._manifests.promise, target.name, stored.digest)
        return manifest_answer(request, stored)

    async def _unknown(self, target: Target) -> RegistryError:
        if not await asyncio.to_thread(self._manifests.exists, target.name):
            return name_unknown(target.name)
        return manifest_unknown(target.name, target.reference)

    async def put(self, request: Request, target: Target) -> AnyAnswer:
        name, reference = target.name, target.reference
        by_tag = is_tag(reference)
        tags = [reference] if by_tag else request.queries("tag")
        for tag in tags:
            if not is_tag(tag):
                raise RegistryError("TAG_INVALID", f"invalid tag {tag!r}", detail={"tag": tag})
        wanted = request.query("digest") if by_tag else reference
        if wanted:
            check_digest(wanted)
        data = await request.body(manifests.LIMIT)
        view = manifests.read(data, request.headers.get("Content-Type", ""))
        algorithm = wanted.partition(":")[0] if wanted else "sha256"
        digest = digests.of(data, algorithm)
        if wanted and digest != wanted:
            raise RegistryError("DIGEST_INVALID", detail={"digest": wanted, "uploaded": digest})
        await asyncio.to_thread(self._manifests.put, name, Stored(digest, view.media_type, data), view, tags)
        headers = {"Location": f"/v2/{name}/manifests/{digest if not by_tag else reference}", "Docker-Content-Digest": digest}
        if view.subject:
            headers["OCI-Subject"] = view.subject
        if not by_tag and tags:
            headers["OCI-Tag"] = ", ".join(tags)
        return Answer(201, headers=headers)

    async def delete(self, request: Request, target: Target) -> AnyAnswer:
        name, reference = target.name, target.reference
        check_reference(name, reference)
        act = self._manifests.remove_tag if is_tag(reference) else self._manifests.remove
        # Looked for first: taking the lock for removal would make the folder of a repository that is not there.
        if await asyncio.to_thread(self._manifests.resolve, name, reference) is None or not await asyncio.to_thread(
            self._manifests.exists, name
        ):
            raise await self._unknown(target)
        if not await asyncio.to_thread(act, name, reference):
            raise await self._unknown(target)
        return Answer(202)

    async def referrers(self, request: Request, target: Target) -> AnyAnswer:
        subject = check_digest(target.reference)
        found = await asyncio.to_thread(self._manifests.referrers, target.name, subject)
        headers = {"Content-Type": OCI_INDEX}
        wanted = request.query("artifactType")
        if wanted:
            found = [descriptor for descriptor in found if descriptor.get("artifactType") == wanted]
            headers["OCI-Filters-Applied"] = "artifactType"
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": found}
        return Answer(200, msgspec.json.encode(index), headers)


def manifest_answer(request: Request, stored: Stored) -> Answer:
    """Return a manifest as it was pushed, or 304."""
    headers = {"Content-Type": stored.media_type, "Docker-Content-Digest": stored.digest, "ETag": f'"{stored.digest}"'}
    if matches(request, stored.digest):
        return Answer(304, headers=headers)
    return Answer(200, stored.data, headers)
