"""The container of this shim: prepared, released, running, ended; and what the daemon may ask of it.

What if something dies: before ``release`` the end of the daemon's connection undoes everything (nobody knows of the
container yet); from ``release`` on the container lives without a daemon until its program ends.
"""

import fcntl
import os
import time

from argosy.runtime.exitrecord import EXIT, LOCK, SHIM, boot_id, exit_code, start_time, write_json
from argosy.runtime.logs.open import open_writer
from argosy.runtime.shim import wire
from argosy.runtime.shim.children import Children
from argosy.runtime.shim.client import Client
from argosy.runtime.shim.execs import DRAIN, Execs, Stdio, attach_options, resize_terminal
from argosy.runtime.shim.loop import IN, Loop
from argosy.runtime.shim.native import StartError
from argosy.runtime.shim.server import Link, Refused, Server
from argosy.runtime.shim.streams import Streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket as socket
    from typing import Any

    from argosy.runtime.logs.open import Writer
    from argosy.runtime.shim.execs import Runner

PREPARED, RUNNING, ENDED = "prepared", "running", "ended"


class Container:
    def __init__(self, request: "dict[str, Any]", runner: "Runner", control: "socket.socket") -> None:
        self.loop = Loop()
        self.id: str = request["id"]
        self._request, self._runner = request, runner
        self._directory: str = request["directory"]
        self._terminal = bool(request["terminal"])
        self._state = PREPARED
        self._children = Children(self.loop)
        self._lock = -1
        self._log: Writer | None = None
        self._streams: Streams | None = None
        self._status: int | None = None
        self._clients: dict[str, Client] = {}
        self._oom_seen = 0
        self._oom_fd = -1
        self.execs = Execs(self.loop, self._children, runner, self._exec_ended)
        self._server = Server(self.loop, self._directory, self._handle, self._link_closed)
        self._first = self._server.adopt(control)
        self._first.subscribed = True

    # ------------------------------------------------------------------ start

    def prepare(self) -> None:
        """Make everything up to the gate and tell the daemon. Raises StartError with nothing left."""
        self._take_lock()
        try:
            self._log = open_writer(self._request["log"], self._children.fork)
        except (OSError, ValueError) as error:
            self._give_lock()
            raise StartError(f"failed to create task for container: failed to initialize logging driver: {error}", 128) from None
        stdio = Stdio(terminal=self._terminal, stdin=bool(self._request["open_stdin"]))
        try:
            self._runner.prepare(stdio.program)
        except BaseException:
            stdio.close()
            self._log_close()
            self._give_lock()
            raise
        stdio.close_program()
        if self._terminal:
            stdio.with_master(self._runner.master)
            rows, columns = self._request["console_size"]
            if rows and columns:
                resize_terminal(self._runner.master, rows, columns)
        self._streams = Streams(
            self.loop,
            outputs=stdio.outputs,
            stdin=stdio.stdin,
            terminal=self._terminal,
            stdin_once=bool(self._request["stdin_once"]),
            log=self._log,
            ended=self._streams_ended,
            left=self._client_left,
        )
        self._children.expect(self._runner.pid, self._exited)
        self._server.listen()
        self._write_shim()
        self._watch_oom()
        self._first.send({"event": "prepared", **self._hello()})

    def _take_lock(self) -> None:
        """Wait until the shim of an earlier start has finished its cleaning up; the kernel frees the lock of a dead one."""
        self._lock = os.open(os.path.join(self._directory, LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def _give_lock(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _write_shim(self) -> None:
        pid = os.getpid()
        value = {
            "version": wire.VERSION,
            "id": self.id,
            "attempt": self._request["attempt"],
            "shim": pid,
            "shim_start": start_time(pid),
            "boot_id": boot_id(),
            "pid": self._runner.pid,
            "pid_start": start_time(self._runner.pid),
        }
        write_json(self._directory, SHIM, value)

    def _watch_oom(self) -> None:
        self._oom_fd = self._runner.oom_fd()
        if self._oom_fd >= 0:
            self.loop.add(self._oom_fd, IN, self._oom)

    def _release(self) -> "dict[str, Any]":
        if self._state != PREPARED:
            raise Refused("conflict", f"container {self.id} is {self._state}")
        try:
            self._runner.release()
        except StartError as error:
            self._undo()
            raise Refused("start", str(error), error.code) from None
        self._state = RUNNING
        return {"pid": self._runner.pid}

    def _undo(self) -> None:
        """Nobody released the container, or it could not be: leave nothing."""
        self._state = ENDED
        self._runner.abort()
        self._server.stop_listening()
        if self._streams is not None:
            self._streams.close()
            self._streams.end_clients()
        self._log_close()
        self._remove_directory()
        self._give_lock()
        self.loop.running = False

    def _remove_directory(self) -> None:
        for name in os.listdir(self._directory):
            try:
                os.unlink(os.path.join(self._directory, name))
            except OSError:
                pass
        try:
            os.rmdir(self._directory)
        except OSError:
            pass

    # ------------------------------------------------------------------ end

    def _exited(self, status: int) -> None:
        self._status = status
        if self._state != RUNNING:
            return  # before the release: the failure is told there
        self._runner.kill_rest()
        assert self._streams is not None
        self._streams.finish()
        if self._streams.draining:
            self.loop.later(DRAIN, self._conclude)
        else:
            self._conclude()

    def _streams_ended(self) -> None:
        if self._status is not None and self._state == RUNNING:
            self._conclude()

    def _conclude(self) -> None:
        """Write how it ended, then tell, then clean up; the connection closes when the container's place is free again."""
        if self._state == ENDED:
            return
        self._state = ENDED
        assert self._streams is not None and self._status is not None
        self._streams.close()
        self._log_close()
        self._children.reap()
        self.execs.end_all()
        # The kill and the end come together; whoever counts OOM events wants this one too.
        self._tell_oom()
        record = {
            "attempt": self._request["attempt"],
            "exit_code": exit_code(self._status),
            "finished_at": time.time_ns(),
            "oom_killed": self._oom_seen > 0,
            "error": "",
            "execs": self.execs.ended,
        }
        self._server.stop_listening()
        write_json(self._directory, EXIT, record)
        self._server.tell({"event": "exit", **record})
        self._streams.end_clients()
        if self._oom_fd >= 0:
            self.loop.remove(self._oom_fd)
            os.close(self._oom_fd)
        self._runner.remove()
        self._give_lock()
        self._server.close()
        self._leave_when_alone()

    def _leave_when_alone(self) -> None:
        """Clients that still have output to read keep the shim until they have it or are gone."""
        if self._state == ENDED and not self._clients and not self.execs.running:
            self.loop.running = False

    def _oom_kills(self) -> int:
        try:
            return self._runner.oom_kills()
        except OSError:
            return self._oom_seen

    def _log_close(self) -> None:
        if self._log is not None:
            self._log.close()
            self._log = None

    # ------------------------------------------------------------------ events

    def _oom(self, events: int) -> None:
        try:
            os.read(self._oom_fd, 4096)
        except OSError:
            pass
        self._tell_oom()

    def _tell_oom(self) -> None:
        kills = self._oom_kills()
        if kills > self._oom_seen:
            self._oom_seen = kills
            self._server.tell({"event": "oom", "kills": kills})

    def _exec_ended(self, identifier: str, record: "dict[str, Any]") -> None:
        self._server.tell({"event": "exec", "exec_id": identifier, **record})

    def _client_left(self, client: Client, reason: str) -> None:
        for token, known in tuple(self._clients.items()):
            if known is client:
                del self._clients[token]
                self._server.tell({"event": "detached", "client": token, "reason": reason})
        self._leave_when_alone()

    def _link_closed(self, link: Link) -> None:
        if self._state == PREPARED and link is self._first:
            self._undo()

    # ------------------------------------------------------------------ verbs

    def _handle(self, link: Link, message: "dict[str, Any]", fds: list[int]) -> "dict[str, Any]":
        verb = getattr(self, f"verb_{message['verb']}", None)
        if verb is None:
            raise Refused("unknown", f"this shim (protocol {wire.VERSION}) does not know the verb {message['verb']}")
        answer: dict[str, Any] = verb(link, message, fds)
        return answer

    def _hello(self) -> "dict[str, Any]":
        return {
            "version": wire.VERSION,
            "id": self.id,
            "attempt": self._request["attempt"],
            "state": self._state,
            "shim": os.getpid(),
            "pid": self._runner.pid,
            "pid_start": start_time(self._runner.pid),
            "warnings": self._runner.warnings,
            "preserved": self._request.get("preserved") or {},
            "execs": {process.id: process.pid for process in self.execs.running.values()},
        }

    def verb_hello(self, link: Link, message: "dict[str, Any]", fds: list[int]) -> "dict[str, Any]":
        return self._hello()

    def verb_subscribe(self, link: Link, message: "dict[str, Any]", fds: list[int]) -> "dict[str, Any]":
        """From now on tell this connection of ends; execs that ended unheard are in the answer."""
        link.subscribed = True
        return {"ended": self.execs.ended, "oom_kills": self._oom_seen}

    def verb_release(self, link: Link, message: "dict[str, Any]", fds: list[int]) -> "dict[str, Any]":
        return self._release()

    def verb_abandon(self, link: Link, message: "dict[str, Any]", fds: list[int]) -> "dict[str, Any]":
        """The start failed elsewhere (a network, a port): the same as the end of the connection, but answered when it is done."""
        if self._state != PREPARED:
            raise Refused("conflict", f"container {self.id} is {self._state}")
        self._undo()
        return {}

    def verb_attach(self, link: Link, message: "dict[str, Any]", fds: list[int]) -> "dict[str, Any]":
        if self._streams is None or self._state == ENDED:
            raise Refused("gone", f"container {self.id} is not running")
        token: str = message["client"]
        client = self._streams.attach(fds.pop(0), foreground=self._state == PREPARED, **attach_options(message["attach"]))
        if client.open:
            self._clients[token] = client
        else:
            self._server.tell({"event": "detached", "client": token, "reason": client.reason})
        return {}

    def verb_exec(self, link: Link, message: "dict[str, Any]", fds: list[int]) -> "dict[str, Any]":
        if self._state != RUNNING or self._status is not None:
            raise Refused("gone", f"container {self.id} is not running")
        try:
            pid = self.execs.start(message["exec"], fds)
        except StartError as error:
            raise Refused("start", str(error), error.code) from None
        return {"pid": pid}

    def verb_signal(self, link: Link, message: "dict[str, Any]", fds: list[int]) -> "dict[str, Any]":
        """Signal an exec's process."""
        process = self.execs.running.get(message["exec_id"])
        if process is None or process.code is not None:
            raise Refused("gone", f"exec {message['exec_id']} is not running")
        process.signal(message["signal"])
        return {}

    def verb_resize(self, link: Link, message: "dict[str, Any]", fds: list[int]) -> "dict[str, Any]":
        rows, columns, identifier = message["rows"], message["columns"], message.get("exec_id", "")
        if identifier:
            if identifier not in self.execs.running:
                raise Refused("gone", f"exec {identifier} is not running")
            self.execs.resize(identifier, rows, columns)
        elif self._runner.master >= 0:
            resize_terminal(self._runner.master, rows, columns)
        return {}

    def verb_flush(self, link: Link, message: "dict[str, Any]", fds: list[int]) -> "dict[str, Any]":
        """Records are written as output comes: take what is in the pipes now, and answer."""
        if self._streams is not None:
            self._streams.take_waiting()
        return {}

    def verb_seen(self, link: Link, message: "dict[str, Any]", fds: list[int]) -> "dict[str, Any]":
        """The daemon has kept the exit codes of these execs."""
        for identifier in message["exec_ids"]:
            self.execs.ended.pop(identifier, None)
        return {}

    def verb_stats(self, link: Link, message: "dict[str, Any]", fds: list[int]) -> "dict[str, Any]":
        lost = getattr(getattr(self._log, "file", self._log), "lost", 0)
        output = self._streams.bytes_out if self._streams is not None else 0
        return {"output_bytes": output, "log_lost_bytes": lost, "clients": len(self._clients), "execs": len(self.execs.running)}
