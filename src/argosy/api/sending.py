"""Sending what an iterator yields, and closing the iterator whatever happens: its end frees what the engine holds for it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

from argosy.api.answer import Gone, Stream
from argosy.api.request import Request

T = TypeVar("T")


@asynccontextmanager
async def closing(values: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """Yield the iterator and close it at the end, where it is a generator."""
    try:
        yield values
    finally:
        close = getattr(values, "aclose", None)
        if close is not None:
            await close()


async def send_pieces(
    request: Request, pieces: AsyncIterator[bytes], content_type: str, headers: Mapping[str, str] | None = None, *, at_once: bool = False
) -> Gone:
    """Send all pieces.

    The head goes out with the first piece, so that an error before it still has a status of its own; or ``at_once``, for
    clients that look for it while nothing happens.
    """
    stream = Stream(request)
    async with closing(pieces):
        if at_once:
            stream.start(content_type, headers)
        async for piece in pieces:
            if not request.answering:
                stream.start(content_type, headers)
            await stream.write(piece)
    if not request.answering:
        stream.start(content_type, headers)
    return await stream.done()
