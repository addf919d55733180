"""The log so far, for a client that goes on with the stream itself."""

from collections.abc import AsyncIterator

from argosy.engine.logs.query import LogQuery
from argosy.engine.logs.reader import Reader
from argosy.runtime.model import LogPlan


class Past:
    """Reads on where it stopped, as often as it is asked. Raises what `Reader` raises."""

    def __init__(self, plan: LogPlan, query: LogQuery, *, terminal: bool) -> None:
        self._reader = Reader(plan, query, terminal=terminal)

    @property
    def lapped(self) -> bool:
        """Return whether rotation has taken away what was not read yet."""
        return self._reader.lapped

    def unread(self) -> int:
        """Return how many bytes of the log's files are still to be read, about."""
        return self._reader.unread()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield what was written up to now, as the Engine API sends it; whoever stops early goes on there later."""
        if self._reader.opened:
            self._reader.look_for_newer()
        else:
            await self._reader.open()
        async for piece in self._reader.drain():
            yield piece

    def close(self) -> None:
        self._reader.close()
