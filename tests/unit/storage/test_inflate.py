"""Compressed bodies on their way to a worker."""

import asyncio
import bz2
import gzip
import lzma
import os
import threading
from collections.abc import AsyncIterator

import pytest
import zstandard

from argosy.base.errors import InvalidParameterError
from argosy.storage.inflate import inflated
from argosy.storage.limits import Limits

DATA = os.urandom(6_000_000) + bytes(6_000_000)
PACKED = {
    "gzip": gzip.compress(DATA, 1),
    "bzip2": bz2.compress(DATA, 1),
    "xz": lzma.compress(DATA, preset=0),
    "zstd": zstandard.compress(DATA),
    "plain": DATA,
}


async def body(data: bytes, size: int = 70_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def taken(source: AsyncIterator[bytes], limits: Limits = Limits()) -> bytes:  # frozen
    return b"".join([piece async for piece in inflated(source, limits)])


def state() -> tuple[int, int]:
    """Return the numbers of open files and of threads that decompress."""
    return len(os.listdir("/proc/self/fd")), sum(thread.name.startswith("inflate") for thread in threading.enumerate())


@pytest.mark.parametrize("kind", PACKED)
@pytest.mark.parametrize("size", [1, 70_000])
async def test_what_comes_is_plain_however_it_is_cut(kind: str, size: int) -> None:
    data = PACKED[kind][: None if size > 1 else 500]
    if size == 1 and kind != "plain":
        data = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": zstandard.compress}[kind](b"hello" * 99)
    assert await taken(body(data, size)) == (DATA[:500] if kind == "plain" else b"hello" * 99) if size == 1 else DATA


@pytest.mark.parametrize("data", [b"", b"\x1f", b"BZ", b"short"])
async def test_what_is_too_short_to_be_compressed_is_as_it_is(data: bytes) -> None:
    assert await taken(body(data)) == data


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz", "zstd"])
async def test_a_stream_that_breaks_off_or_is_damaged_is_refused(kind: str) -> None:
    before = state()
    if kind != "zstd":
        # zstd's library ends quietly; what reads the tar notices.
        with pytest.raises(InvalidParameterError):
            await taken(body(PACKED[kind][:-1000]))
    damaged = bytearray(PACKED[kind])
    # Its blocks of random bytes are as they were: what is damaged is a block's head.
    start = 5 if kind == "zstd" else 40
    damaged[start : start + 50] = b"\xff" * 50
    with pytest.raises(InvalidParameterError):
        await taken(body(bytes(damaged)))
    assert state()[0] == before[0]


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz", "zstd"])
async def test_what_becomes_too_much_ends_early(kind: str) -> None:
    given = 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal given
        async for piece in body(PACKED[kind]):
            given += len(piece)
            yield piece

    got = 0
    with pytest.raises(InvalidParameterError, match="the limit of --max-archive-size"):
        async for piece in inflated(counted(), Limits(size=1 << 20)):
            got += len(piece)
    assert got <= 1 << 20
    assert given < len(PACKED[kind])


async def test_a_client_that_breaks_off_is_the_reason() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield PACKED["gzip"][:100_000]
        raise ConnectionResetError("gone")

    before = state()
    with pytest.raises(ConnectionResetError):
        await taken(broken())
    assert state()[0] == before[0]


async def test_who_stops_reading_ends_the_thread() -> None:
    never = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield PACKED["gzip"][:2_000_000]
        await never.wait()

    before = state()[0]
    source = inflated(slow(), Limits())
    assert await anext(source)
    await source.aclose()
    assert state()[0] == before
