"""All that a container needs before its program may run, made in the order in which it can be undone.

For our own runtime this runs in the starter, a fork of the shim (`shim/apart.py`): what is left of it in the shim are fds and
one message. What a death leaves: the lock goes with the last holder of its fd; without the shim the gate closes, init ends, and
the daemon clears the cgroup by ``start.json``.
"""

import _socket as socket
import fcntl
import os

from argosy.runtime.exitrecord import LOCK, SHIM, SOCKET, boot_id, discard, start_time, write_json
from argosy.runtime.logs.open import try_log
from argosy.runtime.shim import wire
from argosy.runtime.shim.execs import Stdio, resize_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol

    Stage = dict[str, Any]
    """``pid``, ``pid_start``, ``warnings``, and what the request says of the shim's own part."""

    class Maker(Protocol):
        """Makes the processes of one container: our own runtime, or another one."""

        pid: int
        master: int
        warnings: list[str]

        def begin(self, stdio: tuple[int, int, int] | None) -> None:
            """Make the processes; they may still be mounting. Raises StartError with nothing left."""
            ...

        def finish(self) -> None:
            """Return when only the gate is left; the terminal's ``master`` is known then. Raises StartError."""
            ...

        def abort(self) -> None: ...
        def held(self) -> dict[str, int]:
            """Return the fds, by name, that the shim keeps besides ``master``; known from `begin` on."""
            ...


class StartError(Exception):
    """The program could not be started: Docker's text and exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


_KEPT = ("id", "attempt", "directory", "log", "terminal", "stdin_once", "preserved")


def set_stage(request: "Mapping[str, Any]", shim: int, maker: "Maker") -> "tuple[Stage, dict[str, int]]":
    """Make the container up to its gate for the shim of that pid; return (what it is told, the fds that it keeps, by name).

    Raises StartError and OSError with nothing left but fds: the caller's process ends then.
    """
    directory = request["directory"]
    held = {"lock": _take_lock(directory)}
    _try_log(request["log"])
    stdio = Stdio(terminal=request["terminal"], stdin=request["open_stdin"])
    maker.begin(stdio.program)
    try:
        # While init mounts.
        stdio.close_program()
        held.update(stdio.ours)
        held.update(maker.held())
        held["listener"] = _listen(directory)
        started = start_time(maker.pid)
        maker.finish()
        if maker.master >= 0:
            held["master"] = maker.master
        rows, columns = request["console_size"]
        if request["terminal"] and rows and columns:
            resize_terminal(maker.master, rows, columns)
        _write_shim(request, shim, maker.pid, started)
    except BaseException:
        maker.abort()
        raise
    stage = {key: request[key] for key in _KEPT}
    stage.update(pid=maker.pid, pid_start=started, warnings=maker.warnings)
    return stage, held


def _take_lock(directory: str) -> int:
    """Wait until the shim of an earlier start has finished its cleaning up; the kernel frees the lock of a dead one."""
    lock = os.open(f"{directory}/{LOCK}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def _try_log(plan: "Mapping[str, Any]") -> None:
    """The log is opened by the first output (`LazyLog`); that it can be is known before the program runs."""
    try:
        try_log(plan)
    except (OSError, ValueError) as error:
        raise StartError(f"failed to create task for container: failed to initialize logging driver: {error}", 128) from None


def _listen(directory: str) -> int:
    """Return the shim's listening socket; ``directory`` is entered, because sun_path holds 107 bytes (unix(7))."""
    discard(directory, SOCKET)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    os.chdir(directory)
    try:
        listener.bind(SOCKET)
    finally:
        os.chdir("/")
    listener.listen(8)
    return listener.detach()


def _write_shim(request: "Mapping[str, Any]", shim: int, pid: int, started: int) -> None:
    value = {
        "version": wire.VERSION,
        "id": request["id"],
        "attempt": request["attempt"],
        "shim": shim,
        "shim_start": start_time(shim),
        "boot_id": boot_id(),
        "pid": pid,
        "pid_start": started,
    }
    write_json(request["directory"], SHIM, value)
