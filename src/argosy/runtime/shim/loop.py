"""The shim's event loop: epoll, a few timers, and no wake-up while nothing happens."""

import select
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Ready = Callable[[int], None]

IN, OUT, HUP, ERR, RDHUP = select.EPOLLIN, select.EPOLLOUT, select.EPOLLHUP, select.EPOLLERR, select.EPOLLRDHUP


class Loop:
    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._ready: dict[int, Ready] = {}
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = 0
        self.running = True

    def add(self, fd: int, events: int, ready: "Ready") -> None:
        self._epoll.register(fd, events)
        self._ready[fd] = ready

    def watch(self, fd: int, events: int) -> None:
        """Change what is waited for."""
        self._epoll.modify(fd, events)

    def remove(self, fd: int) -> None:
        """Forget an fd, before it is closed."""
        if self._ready.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def later(self, seconds: float, action: "Callable[[], None]") -> "Callable[[], None]":
        """Call ``action`` once, after that time; return what takes it back."""
        self._serial += 1
        serial = self._serial
        self._timers.append((time.monotonic() + seconds, serial, action))
        self._timers.sort()

        def cancel() -> None:
            self._timers[:] = [timer for timer in self._timers if timer[1] != serial]

        return cancel

    def run(self) -> None:
        """Serve until `running` is taken away."""
        while self.running:
            self.step(self._patience())

    def step(self, timeout: float) -> None:
        for fd, events in self._epoll.poll(timeout):
            ready = self._ready.get(fd)
            if ready is not None:  # else removed by an earlier one of this round
                ready(events)
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            self._timers.pop(0)[2]()

    def _patience(self) -> float:
        return max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else -1
