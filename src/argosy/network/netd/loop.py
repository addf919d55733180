"""A small event loop: epoll and timers, nothing else (asyncio costs several megabytes of a process that mostly sleeps)."""

import heapq
import select
import sys
import time
import traceback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

READ = select.EPOLLIN
WRITE = select.EPOLLOUT


class Timer:
    __slots__ = ("callback", "when")

    def __init__(self, when: float, callback: "Callable[[], None]") -> None:
        self.when = when
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None

    def __lt__(self, other: "Timer") -> bool:
        return self.when < other.when


class Loop:
    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callable[[int], None]] = {}
        self._timers: list[Timer] = []
        self.running = True

    def watch(self, fd: int, events: int, callback: "Callable[[int], None]") -> None:
        """Call ``callback(events)`` whenever the descriptor is ready; again: change what is waited for."""
        if fd in self._callbacks:
            self._epoll.modify(fd, events)
        else:
            self._epoll.register(fd, events)
        self._callbacks[fd] = callback

    def forget(self, fd: int) -> None:
        """Stop watching; to be called before the descriptor is closed."""
        if self._callbacks.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def later(self, seconds: float, callback: "Callable[[], None]") -> Timer:
        timer = Timer(time.monotonic() + seconds, callback)
        heapq.heappush(self._timers, timer)
        return timer

    def run(self) -> None:
        """Serve until `running` is false. What a callback raises is told on stderr and ends nothing."""
        while self.running:
            for fd, events in self._epoll.poll(self._wait()):
                callback = self._callbacks.get(fd)
                if callback is not None:
                    self._guarded(callback, events)
            now = time.monotonic()
            while self._timers and (self._timers[0].callback is None or self._timers[0].when <= now):
                timer = heapq.heappop(self._timers)
                if timer.callback is not None:
                    self._guarded(timer.callback)

    def _wait(self) -> float:
        while self._timers and self._timers[0].callback is None:
            heapq.heappop(self._timers)
        return max(self._timers[0].when - time.monotonic(), 0) if self._timers else -1

    def _guarded(self, callback: "Callable[..., None]", *args: int) -> None:
        try:
            callback(*args)
        except Exception:
            traceback.print_exc(file=sys.stderr)
