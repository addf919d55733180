"""Names to addresses by threads of our own: a name server that does not answer must not take the daemon's threads."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

_THREADS = 4


class ThreadResolver(AbstractResolver):
    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="resolve")

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        """Return the addresses of a host, as getaddrinfo(3) orders them. Raises OSError."""
        loop = asyncio.get_running_loop()
        found: list[tuple[Any, ...]] = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family, flags=socket.AI_ADDRCONFIG)
        )
        return [
            ResolveResult(hostname=host, host=address[0], port=address[1], family=kind, proto=protocol, flags=socket.AI_NUMERICHOST)
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Let go of the threads; one that still waits for an answer ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)
