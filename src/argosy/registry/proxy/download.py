"""A blob on its way from the registry behind: fetched once, whoever waits for it; they read the file as it grows."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable

from argosy.registry.errors import RegistryError, blob_unknown
from argosy.registry.proxy.upstream import Unreachable, Upstream
from argosy.registry.storage.uploads import Appender, Uploads

_PIECE = 1 << 20
_TRIES = 3


class Download:
    def __init__(self, *, upstream: Upstream, uploads: Uploads, name: str, digest: str, size: int, count: Callable[[int], None]) -> None:
        self._upstream = upstream
        self._uploads = uploads
        self._name = name
        self._digest = digest
        self.size = size
        self._count = count
        """Told of bytes that arrived."""
        self._have = 0
        self._failed: BaseException | None = None
        self._moved = asyncio.Condition()
        self._readers = 0
        self._fd = -1
        self.ended = False

    async def run(self) -> None:
        """Fetch, verify, keep. Never raises but when cancelled; readers are told."""
        upload = await asyncio.to_thread(self._uploads.begin, self._name)
        appender = await asyncio.to_thread(self._uploads.open, self._name, upload)
        try:
            self._fd = os.open(self._uploads.path(self._name, upload), os.O_RDONLY | os.O_CLOEXEC)
            await self._fetch(appender)
            await asyncio.to_thread(self._uploads.finish, self._name, upload, self._digest, appender)
        except BaseException as error:
            self._failed = error
            try:
                self._uploads.cancel(self._name, upload)
            except RegistryError:
                pass
            if not isinstance(error, RegistryError | Unreachable | OSError):
                raise
        finally:
            appender.close()
            self.ended = True
            await self._tell()
            self._release()

    async def _fetch(self, appender: Appender) -> None:
        for attempt in range(1, _TRIES + 1):
            try:
                async with self._upstream.blob(self._name, self._digest, appender.size) as found:
                    if found is None:
                        raise blob_unknown(self._digest)
                    start, pieces = found
                    if start != appender.size:
                        raise Unreachable("the registry behind does not go on where its answer was cut off")
                    async for piece in pieces:
                        await asyncio.to_thread(appender.append, [piece])
                        self._have = appender.size
                        self._count(len(piece))
                        await self._tell()
                return
            except Unreachable:
                if attempt == _TRIES:
                    raise

    async def _tell(self) -> None:
        async with self._moved:
            self._moved.notify_all()

    def read(self) -> AsyncIterator[bytes]:
        """Return the bytes from the beginning, as they come; raises how the download failed."""
        self._readers += 1
        return self._read()

    async def _read(self) -> AsyncIterator[bytes]:
        offset = 0
        try:
            while True:
                async with self._moved:
                    await self._moved.wait_for(lambda at=offset: self._have > at or self.ended)  # type: ignore[misc]
                # The last piece is given only when the whole is known to be right: who gets all of it can believe it.
                limit = self._have if self._done_well() else min(self._have, self.size - 1)
                while offset < limit:
                    piece = await asyncio.to_thread(os.pread, self._fd, min(_PIECE, limit - offset), offset)
                    offset += len(piece)
                    yield piece
                if self.ended:
                    if self._failed is not None:
                        raise ConnectionResetError(f"blob {self._digest} did not arrive whole: {self._failed}")
                    if offset >= self._have:
                        return
                elif offset >= self.size - 1:
                    async with self._moved:
                        await self._moved.wait_for(lambda: self.ended)
        finally:
            self._readers -= 1
            self._release()

    def _done_well(self) -> bool:
        return self.ended and self._failed is None

    def _release(self) -> None:
        if self.ended and not self._readers and self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
