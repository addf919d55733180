"""Processes started later in the container: their streams, exit codes and last words."""

import fcntl
import os
import struct
import time

from argosy.runtime.exitrecord import exit_code
from argosy.runtime.shim.client import GONE, Client
from argosy.runtime.shim.starting import LIMIT, Starting
from argosy.runtime.shim.streams import Streams, input_pipe, output_pipe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Protocol

    from argosy.runtime.shim.apart import Starter
    from argosy.runtime.shim.children import Children
    from argosy.runtime.shim.loop import Loop

    Answer = Callable[[dict[str, Any]], None]

    class Runner(Protocol):
        """Native, or a foreign OCI runtime."""

        pid: int
        master: int

        def release(self) -> None: ...
        def abort(self) -> None: ...
        def enter(self, request: dict[str, Any], stdio: tuple[int, int, int] | None) -> Starter:
            """Begin to start a process. The answer is ``pid`` (with the terminal's master), or ``failed`` and ``code``; before, and
            as soon as there is one, ``child`` may tell the pid of what is not the program yet."""
            ...

        def kill_rest(self) -> None: ...
        def oom_kills(self) -> int: ...
        def close_root(self) -> None: ...
        def exec_ended(self, exec_id: str) -> None: ...
        def remove(self) -> None: ...


_TIOCSWINSZ = 0x5414
DRAIN = 2.0
"""Seconds for which output is still taken from what an ended program left behind; moby's ``streamDrain``, as measured."""


def resize_terminal(master: int, rows: int, columns: int) -> None:
    """Set the size (TIOCSWINSZ, ioctl_tty(2)); the kernel signals the foreground group."""
    fcntl.ioctl(master, _TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Stdio:
    """The program's three fds, and our ends of them by name."""

    def __init__(self, *, terminal: bool, stdin: bool) -> None:
        self.program: tuple[int, int, int] | None = None
        self.ours: dict[str, int] = {}
        if terminal:
            return
        self.ours["stdout"], out_end = output_pipe()
        self.ours["stderr"], error_end = output_pipe()
        if stdin:
            in_end, self.ours["stdin"] = input_pipe()
        else:
            in_end = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        self.program = (in_end, out_end, error_end)

    def close_program(self) -> None:
        """Close the program's ends: it has them now."""
        for fd in self.program or ():
            os.close(fd)
        self.program = None

    def close(self) -> None:
        self.close_program()
        for fd in self.ours.values():
            os.close(fd)


def our_ends(fds: "Mapping[str, int]", master: int) -> "tuple[dict[int, int], int]":
    """Return (outputs, stdin) as `Streams` takes them; a terminal's master is both."""
    if master >= 0:
        os.set_blocking(master, False)
        return {master: 1}, master
    return {fds["stdout"]: 1, fds["stderr"]: 2}, fds.get("stdin", -1)


class Exec:
    """One running exec."""

    def __init__(self, identifier: str, pid: int, master: int, streams: Streams, kill: bool) -> None:
        self.id, self.pid, self.master, self.streams = identifier, pid, master, streams
        self.kill_on_disconnect = kill
        self.code: int | None = None
        """Once it was reaped; until then its pid is nobody else's."""

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)


class Execs:
    """All execs of the container: starting, running, and ended but not yet acknowledged by the daemon."""

    def __init__(self, loop: "Loop", children: "Children", runner: "Runner", told: "Callable[[str, dict[str, Any]], None]") -> None:
        self._loop, self._children, self._runner, self._told = loop, children, runner, told
        self.starting: dict[str, Starting] = {}
        self.running: dict[str, Exec] = {}
        self.ended: dict[str, dict[str, Any]] = {}
        children.ask = self._look

    def start(self, request: "dict[str, Any]", fds: list[int], answer: "Answer") -> None:
        """Start a process and attach the client whose socket is in ``fds``, if any. Raises OSError, nothing left.

        ``answer`` is called later: with ``pid``, or with the ``error`` in Docker's words. Until the process runs the client is the
        daemon's, which may tell it why it does not.
        """
        identifier: str = request["exec_id"]
        attach = request.get("attach")
        stdio = Stdio(terminal=bool(request["terminal"]), stdin=bool(attach and attach["stdin"]))
        try:
            starter = self._runner.enter(request, stdio.program)
        except BaseException:
            stdio.close()
            raise
        stdio.close_program()
        client = fds.pop(0) if attach is not None and fds else -1

        def started(pid: int, got: list[int]) -> None:
            starting = self.starting.pop(identifier)
            master = got[0] if got else -1
            if starting.size is not None and master >= 0:
                resize_terminal(master, *starting.size)
            self._run(request, stdio, pid, master, client)
            answer({"pid": pid})

        def failed(message: str, code: int) -> None:
            del self.starting[identifier]
            stdio.close()
            if client >= 0:
                os.close(client)
            answer({"error": {"kind": "start" if code else "gone", "message": message, "code": code}})

        def gone() -> None:
            self._runner.exec_ended(identifier)

        limit = request.get("limit") or LIMIT
        self.starting[identifier] = Starting(self._children, starter, identifier, limit, started=started, failed=failed, gone=gone)

    def _look(self) -> None:
        for starting in tuple(self.starting.values()):
            starting.look()

    def _run(self, request: "dict[str, Any]", stdio: Stdio, pid: int, master: int, client: int) -> None:
        identifier, attach = request["exec_id"], request.get("attach")
        outputs, stdin = our_ends(stdio.ours, master)
        streams = Streams(
            self._loop,
            outputs=outputs,
            stdin=stdin,
            terminal=master >= 0,
            stdin_once=True,
            log=None,
            ended=lambda: self._streams_ended(identifier),
            left=lambda gone, reason: self._client_left(identifier, gone, reason),
        )
        process = Exec(identifier, pid, master, streams, bool(request.get("kill_on_disconnect")))
        self.running[identifier] = process
        self._children.expect(pid, lambda status: self._exited(process, exit_code(status)))
        if client >= 0:
            streams.attach(client, foreground=True, **attach_options(attach or {}))
        elif stdin >= 0 and master < 0:
            streams.close_stdin()

    def resize(self, identifier: str, rows: int, columns: int) -> None:
        """Raises KeyError when it does not run, OSError."""
        if identifier in self.starting:
            self.starting[identifier].size = (rows, columns)
        else:
            resize_terminal(self.running[identifier].master, rows, columns)

    def _exited(self, process: Exec, code: int) -> None:
        """The code is told first: a client that sees its stream end asks for it at once."""
        if process.code is not None:
            return
        process.code = code
        self._runner.exec_ended(process.id)
        process.streams.finish()
        self.ended[process.id] = {"exit_code": code, "finished_at": time.time_ns()}
        self._told(process.id, self.ended[process.id])
        if process.streams.draining:
            self._loop.later(DRAIN, lambda: self._close(process))
        else:
            self._close(process)

    def end_starting(self) -> None:
        """The container's program has ended: nothing is begun in it any more."""
        for starting in tuple(self.starting.values()):
            starting.abandon()

    def end_all(self) -> None:
        """The container has ended: so have all of these, even where the kernel has not said so yet."""
        for process in tuple(self.running.values()):
            self._exited(process, 137)
            self._close(process)

    def _streams_ended(self, identifier: str) -> None:
        process = self.running.get(identifier)
        if process is not None and process.code is not None and identifier in self.ended:
            self._close(process)

    def _close(self, process: Exec) -> None:
        if self.running.get(process.id) is process:
            del self.running[process.id]
            process.streams.close()
            process.streams.end_clients()

    def _client_left(self, identifier: str, client: Client, reason: str) -> None:
        process = self.running.get(identifier)
        if process is not None and process.kill_on_disconnect and reason == GONE and process.code is None:
            try:
                process.signal(9)
            except ProcessLookupError:
                pass


def attach_options(attach: "dict[str, Any]") -> "dict[str, Any]":
    """Return the arguments of `Streams.attach` from the wire's form of an AttachRequest."""
    streams = frozenset(number for number, name in ((1, "stdout"), (2, "stderr")) if attach[name])
    return {
        "streams": streams,
        "stdin": bool(attach["stdin"]),
        "multiplexed": bool(attach["multiplexed"]),
        "keys": attach.get("keys", "").encode("latin-1"),
        "first": attach.get("first", "").encode("latin-1"),
    }
