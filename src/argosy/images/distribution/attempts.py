"""Trying again after failures that may pass (moby ``distribution/xfer``: five attempts, 5 more seconds before each)."""

import asyncio
from collections.abc import Awaitable, Callable

from argosy.images.distribution.failures import RegistryError, TransportError
from argosy.images.distribution.progress import Message, step


def may_pass(error: BaseException) -> bool:
    """Return whether another attempt can end otherwise."""
    return isinstance(error, TransportError) or (isinstance(error, RegistryError) and error.retryable)


class Attempts:
    """Counts failures in a row. ``delay``: seconds before the second attempt."""

    def __init__(self, most: int, delay: float) -> None:
        self._most = most
        self._delay = delay
        self._failed = 0
        self._reached = 0

    def reached(self, offset: int) -> None:
        """An attempt got further than any before it: counting begins anew."""
        if offset > self._reached:
            self._reached = offset
            self._failed = 0

    async def repeat(self, name: str, post: Callable[[Message], None], act: Callable[[], Awaitable[None]]) -> None:
        """Do ``act`` until it succeeds; raises what it raised when there is no use in trying again."""
        while True:
            try:
                await act()
                return
            except (TransportError, RegistryError) as error:
                self._failed += 1
                if self._failed >= self._most or not may_pass(error):
                    raise
            await self._pause(name, post)

    async def _pause(self, name: str, post: Callable[[Message], None]) -> None:
        left = self._delay * self._failed
        while left > 0:
            post(step(name, f"Retrying in {left:.0f} second{'' if round(left) == 1 else 's'}"))
            await asyncio.sleep(min(1, left))
            left -= 1
