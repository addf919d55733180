"""Layers that a pull is about to make. Another that needs one waits instead of making it again."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class Claim:
    def __init__(self, others: dict[str, asyncio.Event]) -> None:
        self._others = others

    async def wait_for_others(self, chain: str) -> None:
        """Return when nobody who came before is making this layer, whether it was made or not."""
        if chain in self._others:
            await self._others[chain].wait()


class Claims:
    """All of a pull's claims are taken at once, and it waits for earlier pulls only: nobody waits in a circle."""

    def __init__(self) -> None:
        self._taken: dict[str, asyncio.Event] = {}

    @contextmanager
    def claimed(self, chains: Iterable[str]) -> Iterator[Claim]:
        wanted = set(chains)
        others = {chain: self._taken[chain] for chain in wanted if chain in self._taken}
        mine = wanted - others.keys()
        event = asyncio.Event()
        self._taken.update(dict.fromkeys(mine, event))
        try:
            yield Claim(others)
        finally:
            for chain in mine:
                del self._taken[chain]
            event.set()
