"""The launcher plays the life of a few shims through before the first fork, so that they share what CPython learns while it runs.

The method cache fills, and the instructions of a function are specialised when it has been called eight times (PEP 659). A shim
that did it by itself would have its own copy of every page that this touches. Everything here is the real thing but the program,
a fork that ends when it is released, and the daemon, a fork that says what a daemon says.
"""

import _signal as signal  # type: ignore[import-not-found]
import _socket as socket
import gc
import os

from argosy.linux import mount
from argosy.linux.process import PR_SET_CHILD_SUBREAPER, pidfd_open, prctl
from argosy.runtime.init import gate
from argosy.runtime.shim import main as shim
from argosy.runtime.shim import wire
from argosy.runtime.shim.apart import WaitingStarter
from argosy.runtime.shim.stage import set_stage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TIMES = 12
_LAST_FD = 1 << 30
_HANDLED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


class _Extra:
    """A program that does nothing (`stage.Maker`)."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self.pid = 0
        self.master = -1
        self.warnings: list[str] = []
        self._gate = -1

    def begin(self, stdio: "tuple[int, int, int] | None") -> None:
        ours, theirs = gate.pair()
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            theirs.recv(8)
            os._exit(0)
        self._gate = ours.detach()

    def finish(self) -> None:
        """It waits already."""

    def abort(self) -> None:
        """It ends with its gate."""

    def held(self) -> "dict[str, int]":
        # Of the kind that is there nowhere: nothing is looked up outside the stage.
        cgroup = {"mode": "v2", "manager": "cgroupfs", "path": "/none", "mounts": {}, "unified": self._directory}
        return {"pidfd": pidfd_open(self.pid), "gate": self._gate, "plan": wire.encode({"cgroup": cgroup})}


def rehearse() -> None:
    """Leave warm caches and nothing else; without the rights for it, nothing at all. Closes all fds that are opened in between."""
    try:
        # In a file system that is attached nowhere and ends with its fd.
        stage = mount.new_filesystem(b"tmpfs")
    except OSError:
        return
    handlers = [(number, signal.getsignal(number)) for number in _HANDLED]
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        for number in range(_TIMES):
            _play(stage, f"/proc/self/fd/{stage}/{number}")
    finally:
        prctl(PR_SET_CHILD_SUBREAPER, 0)
        signal.set_wakeup_fd(-1)
        for number, handler in handlers:
            signal.signal(number, handler)
        gc.collect()
        # A shim leaves the closing of some to its end.
        os.closerange(stage, _LAST_FD)


def _play(stage: int, directory: str) -> None:
    os.mkdir(directory)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    daemon = os.fork()
    if daemon == 0:
        theirs.close()
        _be_the_daemon(ours)
    ours.close()
    received = _through_a_socket()
    starter = WaitingStarter(lambda fds: _make(os.dup2(fds[0], stage), directory))
    starter.begin([os.dup(stage)])
    shim.run(theirs, starter)
    theirs.close()
    wire.close_all(received)
    try:
        os.waitpid(daemon, 0)
    except ChildProcessError:
        pass  # the shim has reaped it


def _make(stage: int, directory: str) -> "tuple[dict[str, Any], list[int]]":
    """``directory`` leads through ``stage``, here as in the shim."""
    request = {
        "id": "rehearsal",
        "attempt": "0",
        "directory": directory,
        "log": {"driver": "json-file", "path": directory + "/log", "options": {}, "attributes": {}},
        "terminal": False,
        "open_stdin": False,
        "stdin_once": False,
        "console_size": [0, 0],
        "preserved": {},
    }
    told, fds = set_stage(request, os.getppid(), _Extra(directory))
    return {**told, "fds": list(fds)}, list(fds.values())


def _through_a_socket() -> "list[int]":
    """Receive a request as a warm child does."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    wire.send(ours, {"v": wire.VERSION, "verb": "shim"}, (0, 0, 0))
    received = wire.receive(theirs)
    ours.close()
    theirs.close()
    return received[1] if received is not None else []


def _be_the_daemon(link: socket.socket) -> None:
    try:
        for word in ("hello", "subscribe", "stats", "release"):
            wire.receive(link)
            wire.send(link, {"verb": word, "n": 1})
        while wire.receive(link) is not None:
            pass
    finally:
        os._exit(0)
