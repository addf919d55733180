"""The bytes of a layer to push: a kept blob as it came, or the layer's tar, made again and compressed on the way."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from argosy.storage import pipes
from argosy.storage.content import Content
from argosy.storage.layer import Layer
from argosy.storage.layers import Layers

_PIECE = 1 << 20
LEVEL = 1
"""Of isal, whose levels end at 3: 1 is about as small as zlib's 3 and several times as fast. Changing it changes digests."""


@dataclass(frozen=True, slots=True)
class Packed:
    """What compression made of a layer."""

    digest: str
    size: int


async def file(content: Content, digest: str, count: Callable[[int], None]) -> AsyncIterator[bytes]:
    """Yield a kept blob, telling how far it is."""
    fd = content.open_blob(digest)
    sent = 0
    try:
        while piece := await asyncio.to_thread(os.read, fd, _PIECE):
            yield piece
            sent += len(piece)
            count(sent)
    finally:
        os.close(fd)


@asynccontextmanager
async def packing(
    layers: Layers, content: Content, layer: Layer, count: Callable[[int], None]
) -> AsyncIterator[tuple[AsyncIterator[bytes], "asyncio.Future[Packed]"]]:
    """Yield the compressed bytes, and what they were: known when all have been taken. ``count``, called in a thread, is told
    how many plain bytes have gone in."""
    loop = asyncio.get_running_loop()
    read, write = pipes.make_pipe()
    with layers.slack.used():
        async with _tar(layers, content, layer) as tar:
            packed = loop.run_in_executor(None, _pack, tar, write, count)
            try:
                yield pipes.pieces(read), packed
            finally:
                # With nobody at the other end the thread stops at its next write.
                os.close(read)
                await asyncio.wait([packed])
                if not packed.cancelled():
                    packed.exception()


@asynccontextmanager
async def _tar(layers: Layers, content: Content, layer: Layer) -> AsyncIterator[int]:
    """Yield a descriptor, for the reader to close, from which the layer's tar comes."""
    if not layer.recipe:
        yield content.open_blob(layer.diff_id)
        return
    async with layers.tar_pipe(layer.chain_id) as read:
        yield read


def _pack(tar: int, out: int, count: Callable[[int], None]) -> Packed:
    """Compress, hash, write; closes both. The same bytes each time: a gzip header without name and time (RFC 1952), and pieces
    of one size, which the blocks of the output depend on."""
    from isal import isal_zlib

    packer = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, 31)
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(_PIECE))
    size = taken = 0
    try:
        while got := _fill(tar, buffer):
            size += _write(out, digest, packer.compress(buffer[:got]))
            taken += got
            count(taken)
        size += _write(out, digest, packer.flush())
    finally:
        os.close(tar)
        os.close(out)
    return Packed("sha256:" + digest.hexdigest(), size)


def _fill(fd: int, buffer: memoryview) -> int:
    """Read until the buffer is full or the end has come."""
    got = 0
    while got < len(buffer) and (more := os.readv(fd, [buffer[got:]])):
        got += more
    return got


def _write(out: int, digest: "hashlib._Hash", data: bytes) -> int:
    digest.update(data)
    view = memoryview(data)
    while view:
        view = view[os.write(out, view) :]
    return len(data)
