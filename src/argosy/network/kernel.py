"""The threads in which the kernel is waited for, so that the event loop never is.

rtnetlink has one lock for the whole machine, and a namespace that dies holds it for tens of milliseconds. The GIL is free
while a thread waits there.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argosy.linux.netlink import NetlinkSocket

T = TypeVar("T")


class KernelThread:
    """One thread for what a user waits for, in order, and one for slow undoing."""

    def __init__(self) -> None:
        self._quick = ThreadPoolExecutor(1, thread_name_prefix="network")
        self._slow = ThreadPoolExecutor(1, thread_name_prefix="network undo")
        self._local = threading.local()

    async def run(self, work: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._quick, work, *args)

    async def run_slow(self, work: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._slow, work, *args)

    def route(self) -> NetlinkSocket:
        """Return this thread's rtnetlink socket in the host's namespace."""
        sock: NetlinkSocket | None = getattr(self._local, "route", None)
        if sock is None:
            sock = self._local.route = NetlinkSocket()
        return sock

    def close(self) -> None:
        self._quick.shutdown(wait=True)
        self._slow.shutdown(wait=True)
