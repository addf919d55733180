"""A client that gets the log so far and then the stream (``logs=1&stream=1``): `catch_up` decides, this carries it out."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

from argosy.base.errors import ConflictError
from argosy.engine.catch_up import HOLD_SECONDS, Progress, Step, next_step
from argosy.engine.logs.render import frame
from argosy.engine.ports import Shim
from argosy.runtime.model import AttachRequest, HoldEnded

NOTE = b"argosy: this client reads too slowly and was let go; the output is in the log\n"
"""The shim's words for one that is too slow for the stream."""

Send = Callable[[bytes], Awaitable[None]]
Ended = asyncio.Future[None]


class Past(Protocol):
    """The log so far (`logs.Past`)."""

    @property
    def lapped(self) -> bool: ...
    def unread(self) -> int: ...
    def pieces(self) -> AsyncIterator[bytes]: ...
    def close(self) -> None: ...


class Joiner:
    """One client on its way from the log to the stream."""

    def __init__(
        self, shim: Shim, past: Past, send: Send, request: AttachRequest, sock: int, first: bytes, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._shim, self._past, self._send, self._now = shim, past, send, now
        self._request, self._sock, self._first = request, sock, first
        self._hold = ""
        self._until = 0.0
        self._complete = False
        self._failed = 0

    async def join(self) -> Ended | None:
        """Return what ends when the shim has let the client go; None when nothing more comes."""
        while True:
            try:
                match next_step(self._progress()):
                    case Step.READ:
                        await self._read()
                    case Step.HOLD if not await self._held():
                        # A shim of an older version: a moment's output may be lost or come twice.
                        await self._read()
                        return await self._shim.attach(self._request, self._sock, self._first)
                    case Step.JOIN:
                        return await self._shim.attach(self._request, self._sock, self._first, self._hold)
                    case Step.LET_GO:
                        await self._send(frame(2, NOTE) if self._request.multiplexed else NOTE)
                        return None
            except HoldEnded:
                self._give_up_hold()
            except ConflictError:
                # It has ended, and its log is complete.
                await self._read()
                return None

    def _progress(self) -> Progress:
        if self._hold and self._now() >= self._until:
            self._give_up_hold()
        return Progress(
            unread=self._past.unread(),
            held=bool(self._hold),
            complete=self._complete,
            failed=self._failed,
            lapped=self._past.lapped,
        )

    def _give_up_hold(self) -> None:
        self._hold, self._complete = "", False
        self._failed += 1

    async def _held(self) -> bool:
        self._hold, self._complete = await self._shim.hold(), False
        self._until = self._now() + HOLD_SECONDS
        return bool(self._hold)

    async def _read(self) -> None:
        async for piece in self._past.pieces():
            await self._send(piece)
            if self._hold and self._now() >= self._until:
                return
        self._complete = True
