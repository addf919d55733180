"""Blobs: HEAD, GET with ranges, DELETE."""

import asyncio
import os

from argosy.registry.errors import blob_unknown
from argosy.registry.http.answer import Answer, AnyAnswer, FileAnswer
from argosy.registry.http.request import Request
from argosy.registry.names import Target, check_digest
from argosy.registry.ranges import part_of
from argosy.registry.storage.blobs import Blobs
from argosy.registry.usage import Usage

_FOREVER = "max-age=31536000"


def headers_of(digest: str) -> dict[str, str]:
    """Return the headers that describe a blob."""
    return {
        "Content-Type": "application/octet-stream",
        "Docker-Content-Digest": digest,
        "ETag": f'"{digest}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": _FOREVER,
    }


def matches(request: Request, digest: str) -> bool:
    """Say whether the client has this content already (RFC 9110 13.1.2)."""
    header = request.headers.get("If-None-Match", "")
    if not header:
        return False
    wanted = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return any(tag in ("*", digest, f'"{digest}"') for tag in wanted)


class BlobHandlers:
    def __init__(self, *, blobs: Blobs, usage: Usage) -> None:
        self._blobs = blobs
        self._usage = usage

    async def head(self, request: Request, target: Target) -> AnyAnswer:
        digest = check_digest(target.reference)
        size = await asyncio.to_thread(self._blobs.promise, target.name, digest)
        if size is None:
            raise blob_unknown(digest)
        if matches(request, digest):
            return Answer(304, headers=headers_of(digest))
        return Answer(200, headers=headers_of(digest), length=size)

    async def get(self, request: Request, target: Target) -> AnyAnswer:
        digest = check_digest(target.reference)
        fd = await asyncio.to_thread(self._blobs.open, target.name, digest)
        if fd is None:
            raise blob_unknown(digest)
        try:
            return file_answer(request, digest, fd)
        except BaseException:
            os.close(fd)
            raise

    async def delete(self, request: Request, target: Target) -> AnyAnswer:
        digest = check_digest(target.reference)
        size = await asyncio.to_thread(self._blobs.size, target.name, digest)
        # Looked for first: taking the lock for removal would make the folder of a repository that is not there.
        if size is None or not await asyncio.to_thread(self._blobs.remove, target.name, digest):
            raise blob_unknown(digest)
        self._usage.forget(target.name, size)
        return Answer(202)


def file_answer(request: Request, digest: str, fd: int) -> AnyAnswer:
    """Return what sends an open blob, or the part that is asked for. Raises RegistryError with 416."""
    size = os.fstat(fd).st_size
    headers = headers_of(digest)
    if matches(request, digest):
        os.close(fd)
        return Answer(304, headers=headers)
    wanted = request.headers.get("Range", "")
    if wanted and request.headers.get("If-Range", f'"{digest}"') == f'"{digest}"':
        part = part_of(wanted, size)
        if part is not None:
            offset, count = part
            headers["Content-Range"] = f"bytes {offset}-{offset + count - 1}/{size}"
            return FileAnswer(206, fd, offset, count, headers)
    return FileAnswer(200, fd, 0, size, headers)
