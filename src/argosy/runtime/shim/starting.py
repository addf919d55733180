"""One exec between the daemon's request and the first instruction of its program.

A fork of the shim starts it (`shim/apart.py`), for as long as that takes. Whoever ends it: the fork is killed first. The process
that it has made is the shim's child then and is killed by its pid, or it ends by itself because it was bound to the fork
(`runtime/init/run.py`).
"""

import os

from argosy.runtime.shim.loop import IN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from argosy.runtime.shim.apart import Starter
    from argosy.runtime.shim.children import Children

LIMIT = 120.0
"""Seconds that a start may take when its request names no limit."""
KILLED = 137
_KILL = 9
_ENDING = (1, 2, 3, _KILL, 15)
"""SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGTERM: what ends a program that has not asked for it ends its start."""


class Starting:
    """``started(pid, fds)`` or ``failed(message, code)`` is called once (code 0: the container has ended).

    ``gone()`` is called when nothing is left of a failed one.
    """

    def __init__(
        self,
        children: "Children",
        starter: "Starter",
        name: str,
        limit: float,
        *,
        started: "Callable[[int, list[int]], None]",
        failed: "Callable[[str, int], None]",
        gone: "Callable[[], None]",
    ) -> None:
        self.size: tuple[int, int] | None = None
        """What its terminal was resized to meanwhile: rows, columns."""
        self._loop, self._children, self._starter, self._name = children.loop, children, starter, name
        self._started, self._failed, self._gone = started, failed, gone
        self._child = 0
        self._reason = ""
        self._done = self._deaf = False
        self._loop.add(starter.fileno(), IN, lambda events: self.look())
        children.expect(starter.pid, lambda status: self._ended())
        too_long = f"it did not start within {limit:g} s: is a file system hung that it needs, or the container paused?"
        self._forgive = self._loop.later(limit, lambda: self._kill(too_long))

    def look(self) -> None:
        """Take what the starter has said."""
        if self._done:
            return
        for message, fds in self._starter.heard():
            if "child" in message:
                self._child = message["child"]
            elif "pid" in message:
                self._finish()
                self._started(message["pid"], fds)
                if self._reason:
                    os.kill(message["pid"], _KILL)
            else:
                self._finish()
                self._failed(message["failed"], message["code"])
        if self._starter.over:
            self._stop_listening()  # its end tells the rest

    def signal(self, number: int) -> bool:
        """Return whether a signal to a program that is not there yet has ended its start."""
        if number in _ENDING:
            self._kill("it was killed while it started")
        return number in _ENDING

    def abandon(self) -> None:
        """The container has ended: end this too, and wait for the fork, which uses nothing of the container's that could hang."""
        self._children.forget(self._starter.pid)
        self._starter.kill()
        os.waitpid(self._starter.pid, 0)
        self._finish()
        self._end_child()
        self._failed("the container has ended", 0)

    def _kill(self, reason: str) -> None:
        self._reason = self._reason or reason
        if not self._done:
            self._starter.kill()

    def _ended(self) -> None:
        """The starter is gone: what it has made is the shim's child now."""
        self.look()
        if not self._done:
            self._finish()
            self._end_child()
            self._failed(f"OCI runtime exec failed: exec {self._name}: {self._reason or 'its starter was killed'}", KILLED)

    def _end_child(self) -> None:
        if self._child and _is_our_child(self._child):
            self._children.expect(self._child, lambda status: self._gone())
            os.kill(self._child, _KILL)
        else:
            self._gone()

    def _finish(self) -> None:
        self._done = True
        self._forgive()
        self._stop_listening()
        self._starter.close()

    def _stop_listening(self) -> None:
        if not self._deaf:
            self._deaf = True
            self._loop.remove(self._starter.fileno())


def _is_our_child(pid: int) -> bool:
    """A starter that has reaped its child before it was killed leaves none, and the pid may be somebody else's by now."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
