"""A client's stream, decompressed on its way to a worker."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

from argosy.storage import compression, hashing, pipes
from argosy.storage.limits import Limits

_MAGIC = 6
"""Bytes by which the longest of the marks is known (xz)."""


async def inflated(body: AsyncIterator[bytes], limits: Limits) -> AsyncGenerator[bytes, None]:
    """Yield the plain bytes of a body, whatever it is compressed with (moby ``archive/compression.DecompressStream``).

    To be closed by who does not read it to its end: a thread works on it.

    Raises InvalidParameterError on damaged data, and when what has come becomes more than ``limits`` allow it.
    """
    head = b""
    async for chunk in body:
        head += chunk
        if len(head) >= _MAGIC:
            break
    kind = compression.detect(head)
    if kind:
        async with aclosing(_plain(_joined(head, body), kind, limits)) as plain:
            async for piece in plain:
                yield piece
        return
    yield head
    async for chunk in body:
        yield chunk


async def _joined(head: bytes, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for chunk in body:
        yield chunk


async def _plain(body: AsyncIterator[bytes], kind: str, limits: Limits) -> AsyncGenerator[bytes, None]:
    packed, write_packed = pipes.make_pipe()
    read, plain = pipes.make_pipe()
    feeding = asyncio.ensure_future(pipes.feed(write_packed, body))
    # A thread of its own: it waits for the client, who may be slow, and the daemon's others are few.
    thread = ThreadPoolExecutor(1, thread_name_prefix="inflate")
    inflating = asyncio.get_running_loop().run_in_executor(thread, hashing.inflate, packed, kind, plain, limits)
    try:
        async for piece in pipes.pieces(read):
            yield piece
        if feeding.done():
            # A client that broke off is the reason why the archive does.
            feeding.result()
        await inflating
        # What comes after the compressed data means nothing; nobody reads it.
    finally:
        os.close(read)
        feeding.cancel()
        # Both end now: one has lost its reader, the other its writer.
        await asyncio.gather(feeding, inflating, return_exceptions=True)
        thread.shutdown(wait=False)
