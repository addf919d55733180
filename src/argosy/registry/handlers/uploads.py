"""Uploads: begin (also whole, also by mount), go on, ask, end, cancel. Distribution specification, "Pushing Blobs"."""

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from argosy.registry.auth.grant import PULL
from argosy.registry.errors import RegistryError
from argosy.registry.http.answer import Answer, AnyAnswer
from argosy.registry.http.request import BodyCutOff, Request
from argosy.registry.names import Target, check_digest, is_name
from argosy.registry.ranges import chunk_of, progress
from argosy.registry.storage.blobs import Blobs
from argosy.registry.storage.catalogue import folders
from argosy.registry.storage.layout import Layout
from argosy.registry.storage.uploads import Appender, Uploads
from argosy.registry.usage import Usage

_BATCH = 1 << 20
_AHEAD = 8 << 20
"""So much is received before the thread that writes is waited for."""


class UploadHandlers:
    def __init__(self, *, layout: Layout, blobs: Blobs, uploads: Uploads, usage: Usage) -> None:
        self._layout = layout
        self._blobs = blobs
        self._uploads = uploads
        self._usage = usage
        self._turns: dict[str, tuple[asyncio.Lock, int]] = {}

    # ------------------------------------------------------------------ POST

    async def begin(self, request: Request, target: Target) -> AnyAnswer:
        name = target.name
        await self._room(name, request.length or 0)
        mounted = request.query("mount")
        if mounted and await self._mount(request, name, check_digest(mounted)):
            return _made(name, mounted)
        digest = request.query("digest")
        if digest:
            check_digest(digest)
        upload = await asyncio.to_thread(self._uploads.begin, name)
        if digest and not mounted:
            return await self._end(request, name, upload, digest)
        return self._state(202, name, upload, 0)

    async def _mount(self, request: Request, name: str, digest: str) -> bool:
        """Link the blob from where the sender may read it; False when there is no such place."""
        source = request.query("from")
        if source:
            if not (is_name(source) and request.allows(source, PULL)):
                return False
            done = await asyncio.to_thread(self._blobs.mount, source, name, digest)
        else:
            done = await asyncio.to_thread(self._mount_from_any, request, name, digest)
        if done:
            size = await asyncio.to_thread(self._blobs.size, name, digest)
            self._usage.add(name, size or 0, pooled=False)
        return done

    def _mount_from_any(self, request: Request, name: str, digest: str) -> bool:
        if not self._blobs.is_pooled(digest):
            return False
        readable = (source for source in folders(self._layout) if request.allows(source, PULL))
        return any(self._blobs.size(source, digest) is not None and self._blobs.mount(source, name, digest) for source in readable)

    # ------------------------------------------------------------------ GET, PATCH, PUT, DELETE

    async def status(self, request: Request, target: Target) -> AnyAnswer:
        size = await asyncio.to_thread(self._uploads.size, target.name, target.reference)
        return self._state(204, target.name, target.reference, size)

    async def append(self, request: Request, target: Target) -> AnyAnswer:
        name, upload = target.name, target.reference
        async with self._opened(name, upload) as appender:
            await self._receive(request, name, upload, appender)
            return self._state(202, name, upload, appender.size)

    async def end(self, request: Request, target: Target) -> AnyAnswer:
        digest = request.query("digest")
        if not digest:
            raise RegistryError("DIGEST_INVALID", "digest parameter missing")
        return await self._end(request, target.name, target.reference, check_digest(digest))

    async def _end(self, request: Request, name: str, upload: str, digest: str) -> AnyAnswer:
        async with self._opened(name, upload) as appender:
            if request.has_body:
                await self._receive(request, name, upload, appender)
            pooled = await asyncio.to_thread(self._blobs.is_pooled, digest)
            held = await asyncio.to_thread(self._blobs.size, name, digest) is not None
            await asyncio.to_thread(self._uploads.finish, name, upload, digest, appender)
            if not held:
                self._usage.add(name, appender.size, pooled=not pooled)
            appender.hash = None
        return _made(name, digest)

    async def cancel(self, request: Request, target: Target) -> AnyAnswer:
        await asyncio.to_thread(self._uploads.cancel, target.name, target.reference)
        return Answer(204)

    # ------------------------------------------------------------------ bytes

    @asynccontextmanager
    async def _opened(self, name: str, upload: str) -> AsyncIterator[Appender]:
        """Have an upload to oneself."""
        lock, waiting = self._turns.get(upload, (asyncio.Lock(), 0))
        self._turns[upload] = (lock, waiting + 1)
        try:
            async with lock:
                appender = await asyncio.to_thread(self._uploads.open, name, upload)
                try:
                    yield appender
                finally:
                    self._uploads.close(upload, appender)
        finally:
            lock, waiting = self._turns.pop(upload)
            if waiting > 1:
                self._turns[upload] = (lock, waiting - 1)

    async def _receive(self, request: Request, name: str, upload: str, appender: Appender) -> None:
        """Append the body. Raises RegistryError; then the upload is as before. A body that is cut off leaves what arrived."""
        before = appender.size
        header = request.headers.get("Content-Range")
        expected = None
        if header is not None:
            first, last = self._chunk(header, name, upload, before)
            expected = last - first + 1
            if request.length is not None and request.length != expected:
                raise RegistryError("SIZE_INVALID", detail={"Content-Range": header, "Content-Length": request.length})
        await self._room(name, before + (request.length or 0))
        try:
            await self._pump(request, name, appender)
        except BodyCutOff as error:
            raise ConnectionResetError("the client went away while it sent a blob") from error
        except BaseException:
            await asyncio.to_thread(appender.cut, before)
            raise
        if expected is not None and appender.size - before != expected:
            await asyncio.to_thread(appender.cut, before)
            raise RegistryError("SIZE_INVALID", detail={"Content-Range": header})

    def _chunk(self, header: str, name: str, upload: str, size: int) -> tuple[int, int]:
        place = {"Location": _location(name, upload), "Range": progress(size), "Docker-Upload-UUID": upload}
        try:
            first, last = chunk_of(header)
        except RegistryError as error:
            error.headers = place
            raise
        if first != size:
            raise RegistryError("RANGE_INVALID", f"the upload goes on at {size}, not at {first}", headers=place)
        return first, last

    async def _pump(self, request: Request, name: str, appender: Appender) -> None:
        """Receive while a thread hashes and writes what came before."""
        loop = asyncio.get_running_loop()
        writing: asyncio.Future[None] | None = None
        pieces: list[bytes] = []
        size = 0
        try:
            async for piece in request.chunks():
                pieces.append(piece)
                size += len(piece)
                if size < _BATCH or (writing is not None and not writing.done() and size < _AHEAD):
                    continue
                if writing is not None:
                    await writing
                if request.length is None:
                    self._usage.check(name, appender.size + size)
                writing = loop.run_in_executor(None, functools.partial(appender.append, pieces))
                pieces, size = [], 0
        finally:
            if writing is not None:
                await writing
            if pieces:
                await asyncio.to_thread(appender.append, pieces)
        if request.length is None:
            self._usage.check(name, appender.size)

    async def _room(self, name: str, size: int) -> None:
        if self._usage.needs_look(name):
            await asyncio.to_thread(self._usage.look, name)
        self._usage.check(name, size)

    def _state(self, status: int, name: str, upload: str, size: int) -> Answer:
        return Answer(status, headers={"Location": _location(name, upload), "Range": progress(size), "Docker-Upload-UUID": upload})


def _location(name: str, upload: str) -> str:
    return f"/v2/{name}/blobs/uploads/{upload}"


def _made(name: str, digest: str) -> Answer:
    return Answer(201, headers={"Location": f"/v2/{name}/blobs/{digest}", "Docker-Content-Digest": digest})
