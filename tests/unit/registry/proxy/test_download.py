import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from argosy.registry.proxy.download import Download
from argosy.registry.storage.blobs import Blobs
from argosy.registry.storage.layout import prepare
from argosy.registry.storage.uploads import Uploads
from support.registry import digest_of

DATA = bytes(range(256)) * 1000


class Behind:
    """A registry that sends everything and ends its answer when the gate opens."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.gate = asyncio.Event()

    @contextlib.asynccontextmanager
    async def blob(self, name: str, digest: str, offset: int) -> AsyncIterator[tuple[int, AsyncIterator[bytes]]]:
        yield offset, self._pieces()

    async def _pieces(self) -> AsyncIterator[bytes]:
        yield self._data[:1000]
        yield self._data[1000:]
        await self.gate.wait()


class Reader:
    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self.got = b""
        self.nearly = asyncio.Event()

    async def run(self) -> None:
        async for piece in self._pieces:
            self.got += piece
            if len(self.got) >= len(DATA) - 1:
                self.nearly.set()


def download_of(folder: Path, behind: Behind) -> tuple[Download, Blobs]:
    layout = prepare(folder)
    blobs = Blobs(layout)
    made = Download(
        upstream=behind,  # type: ignore[arg-type]
        uploads=Uploads(layout, blobs),
        name="team/app",
        digest=digest_of(DATA),
        size=len(DATA),
        count=lambda amount: None,
    )
    return made, blobs


async def test_the_last_byte_is_given_when_the_digest_is_right(tmp_path: Path) -> None:
    behind = Behind(DATA)
    download, blobs = download_of(tmp_path, behind)
    readers = [Reader(download.read()), Reader(download.read())]
    async with asyncio.TaskGroup() as group:
        group.create_task(download.run())
        for reader in readers:
            group.create_task(reader.run())
        for reader in readers:
            await reader.nearly.wait()
            assert reader.got == DATA[:-1]
        behind.gate.set()
    assert [reader.got for reader in readers] == [DATA, DATA]
    assert blobs.size("team/app", digest_of(DATA)) == len(DATA)


async def test_wrong_content_is_never_given_whole_nor_kept(tmp_path: Path) -> None:
    behind = Behind(DATA[:-1] + b"!")
    download, blobs = download_of(tmp_path, behind)
    reader = Reader(download.read())
    with pytest.raises(ExceptionGroup) as caught:
        async with asyncio.TaskGroup() as group:
            group.create_task(download.run())
            group.create_task(reader.run())
            await reader.nearly.wait()
            behind.gate.set()
    assert caught.group_contains(ConnectionResetError)
    assert reader.got == DATA[:-1]
    assert blobs.size("team/app", digest_of(DATA)) is None
