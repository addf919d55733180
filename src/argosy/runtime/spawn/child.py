"""A process that was made and waits, or runs; held by its parent."""

import os

from argosy.linux import process
from argosy.runtime.init import gate
from argosy.runtime.spawn.failure import SpawnFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from collections.abc import Callable


class Child:
    """The caller is its parent: it polls `pidfd` and reaps."""

    __slots__ = ("_gate", "kind", "master", "pid", "pidfd", "root", "warnings")

    def __init__(self, pid: int, pidfd: int, socket: "_socket.socket", kind: str, root: int = -1) -> None:
        self.pid = pid
        self.pidfd = pidfd
        self.kind = kind
        self.root = root
        """The root mount's fd (start only), for whoever looks into the container from outside."""
        self.master = -1
        """The terminal's master side, or -1."""
        self.warnings: list[str] = []
        self._gate: _socket.socket | None = socket

    @property
    def sync(self) -> int:
        """Return the gate's fd: readable when the child ended before its release; -1 afterwards."""
        return -1 if self._gate is None else self._gate.fileno()

    def say(self, word: bytes) -> None:
        """Tell the child to go on; one that is gone is noticed by the next `wait_prepared` or `release`."""
        assert self._gate is not None
        try:
            self._gate.send(word)
        except OSError:
            pass

    def wait_prepared(self, on_mounted: "Callable[[int], None] | None" = None) -> None:
        """Return when only the gate is left; ``on_mounted(pid)`` runs the hooks of a plan made with ``hooks``.

        Raises SpawnFailed, and what ``on_mounted`` raises.
        """
        assert self._gate is not None
        while True:
            data, fd = gate.receive(self._gate)
            kind = data[:1]
            if kind == gate.WARNING:
                self.warnings.append(os.fsdecode(data[1:]))
            elif kind == gate.MOUNTED:
                if on_mounted is not None:
                    on_mounted(self.pid)
                self.say(gate.HOOKED)
            elif kind == gate.PREPARED:
                self.master = fd
                return
            else:
                raise self._failure(data)

    def release(self) -> None:
        """Let it execute the program; returns when execve succeeded. Raises SpawnFailed; the child is reaped then."""
        if self._gate is None:
            raise RuntimeError("already released")
        self.say(gate.GO)
        data, _ = gate.receive(self._gate)
        self._gate.close()
        self._gate = None
        if data:
            failure = self._failure(data)
            self.abort()
            raise failure

    def _failure(self, data: bytes) -> SpawnFailed:
        if data[:1] == gate.ERROR:
            return SpawnFailed(*gate.parse_error(data), kind=self.kind)
        return SpawnFailed(0, "init", "the container's init ended before it was ready", kind=self.kind)

    def abort(self) -> None:
        """Kill and reap it, and close every fd."""
        try:
            process.pidfd_send_signal(self.pidfd, 9)
        except OSError:
            pass
        try:
            os.waitpid(self.pid, 0)
        except ChildProcessError:
            pass
        self.close()

    def close(self) -> None:
        """Close what is open; the process is not touched (one that still waits at the gate ends by itself)."""
        if self._gate is not None:
            self._gate.close()
            self._gate = None
        for name in ("pidfd", "master", "root"):
            fd = getattr(self, name)
            if fd >= 0:
                os.close(fd)
                setattr(self, name, -1)
