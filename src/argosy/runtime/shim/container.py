"""The container of this shim: prepared, released, running, ended; and what the daemon may ask of it.

What if something dies: before ``release`` the end of the daemon's connection undoes everything (nobody knows of the
container yet); from ``release`` on the container lives without a daemon until its program ends.
"""

import os
import time

from argosy.runtime.exitrecord import EXIT, exit_code, write_json
from argosy.runtime.logs.lazy import LazyLog
from argosy.runtime.shim import wire
from argosy.runtime.shim.children import Children
from argosy.runtime.shim.client import Client
from argosy.runtime.shim.execs import DRAIN, Execs, attach_options, our_ends, resize_terminal
from argosy.runtime.shim.loop import IN
from argosy.runtime.shim.server import Link, Refused, Server
from argosy.runtime.shim.stage import StartError
from argosy.runtime.shim.streams import Streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket as socket
    from typing import Any

    from argosy.runtime.shim.execs import Runner
    from argosy.runtime.shim.stage import Stage

PREPARED, RUNNING, ENDED = "prepared", "running", "ended"


class Container:
    """``stage`` and ``fds``: what `stage.set_stage` made, with the container at its gate. The daemon is told so here."""

    def __init__(self, children: Children, stage: "Stage", fds: "dict[str, int]", runner: "Runner", control: "socket.socket") -> None:
        self.loop, self._children = children.loop, children
        self.id: str = stage["id"]
        self._stage, self._runner = stage, runner
        self._directory: str = stage["directory"]
        self._state = PREPARED
        self._lock = fds["lock"]
        self._log = LazyLog(stage["log"], children.fork, children.loop) if stage["log"]["driver"] != "none" else None
        self._status: int | None = None
        self._clients: dict[str, Client] = {}
        self._oom_seen = 0
        self._oom_fd = fds.get("oom", -1)
        self.execs = Execs(self.loop, self._children, runner, self._exec_ended)
        self._server = Server(self.loop, self._directory, self._handle, self._link_closed)
        self._first = self._server.adopt(control)
        self._first.subscribed = True
        # Told at once: what else is made here will have been made when the daemon's answer is read.
        self._first.send({"event": "prepared", **self._hello()})
        outputs, stdin = our_ends(fds, runner.master)
        self._streams = Streams(
            self.loop,
            outputs=outputs,
            stdin=stdin,
            terminal=stage["terminal"],
            stdin_once=stage["stdin_once"],
            log=self._log,
            ended=self._streams_ended,
            left=self._client_left,
        )
        children.expect(runner.pid, self._exited)
        self._server.listen(fds["listener"])
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
        self._streams.close()
        self._streams.end_clients()
        self._log_close()
        self._remove_directory()
        os.close(self._lock)
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
        # First of all: who else looks after the cgroup may remove it now.
        self._tell_oom()
        self.execs.end_starting()
        self._runner.kill_rest()
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
        assert self._status is not None
        self._streams.close()
        self._log_close()
        self._children.reap()
        self.execs.end_all()
        # The kill and the end come together; whoever counts OOM events wants this one too.
        self._tell_oom()
        record = {
            "attempt": self._stage["attempt"],
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
        os.close(self._lock)
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

    def _handle(self, link: Link, message: "dict[str, Any]", fds: list[int]) -> "dict[str, Any] | None":
        verb = getattr(self, f"verb_{message['verb']}", None)
        if verb is None:
            raise Refused("unknown", f"this shim (protocol {wire.VERSION}) does not know the verb {message['verb']}")
        answer: dict[str, Any] | None = verb(link, message, fds)
        return answer

    def _hello(self) -> "dict[str, Any]":
        return {
            "version": wire.VERSION,
            "id": self.id,
            "attempt": self._stage["attempt"],
            "state": self._state,
            "shim": os.getpid(),
            "pid": self._runner.pid,
            "pid_start": self._stage["pid_start"],
            "warnings": self._stage["warnings"],
            "preserved": self._stage["preserved"],
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
        if self._state == ENDED:
            raise Refused("gone", f"container {self.id} is not running")
        token: str = message["client"]
        hold: str = message.get("hold", "")
        if hold and not self._streams.holds(hold):
            raise Refused("late", f"container {self.id} has gone on since the log was read")
        client = self._streams.attach(fds.pop(0), foreground=self._state == PREPARED, **attach_options(message["attach"]))
        if hold:
            self._catch_up(client, hold)
        if client.open:
            self._clients[token] = client
        else:
            self._server.tell({"event": "detached", "client": token, "reason": client.reason})
        return {}

    def _catch_up(self, client: Client, hold: str) -> None:
        """The client has been given the log: what is in no record yet comes next, then the stream."""
        for stream in (1, 2):
            if self._log is not None and (begun := self._log.unrecorded(stream)):
                client.feed(stream, begun)
        self._streams.release(hold)

    def verb_hold(self, link: Link, message: "dict[str, Any]", fds: list[int]) -> "dict[str, Any]":
        """The log stands still until an attach with this token, or for a second."""
        if self._state == ENDED:
            raise Refused("gone", f"container {self.id} is not running")
        self._streams.hold(message["hold"])
        return {}

    def verb_exec(self, link: Link, message: "dict[str, Any]", fds: list[int]) -> None:
        """Answered when the program runs."""
        if self._state != RUNNING or self._status is not None:
            raise Refused("gone", f"container {self.id} is not running")
        self.execs.start(message["exec"], fds, link.answerer(message))

    def verb_signal(self, link: Link, message: "dict[str, Any]", fds: list[int]) -> "dict[str, Any]":
        """Signal an exec's process, or end its start."""
        starting = self.execs.starting.get(message["exec_id"])
        if starting is not None:
            if not starting.signal(message["signal"]):
                raise Refused("conflict", f"exec {message['exec_id']} is still starting: only what ends it can be sent")
            return {}
        process = self.execs.running.get(message["exec_id"])
        if process is None or process.code is not None:
            raise Refused("gone", f"exec {message['exec_id']} is not running")
        process.signal(message["signal"])
        return {}

    def verb_resize(self, link: Link, message: "dict[str, Any]", fds: list[int]) -> "dict[str, Any]":
        rows, columns, identifier = message["rows"], message["columns"], message.get("exec_id", "")
        if identifier:
            if identifier not in self.execs.running and identifier not in self.execs.starting:
                raise Refused("gone", f"exec {identifier} is not running")
            self.execs.resize(identifier, rows, columns)
        elif self._runner.master >= 0:
            resize_terminal(self._runner.master, rows, columns)
        return {}

    def verb_flush(self, link: Link, message: "dict[str, Any]", fds: list[int]) -> None:
        """Records are written as output comes: take what is in the pipes now, and answer."""
        answer = link.answerer(message)
        self._streams.flush(lambda: answer({}))

    def verb_seen(self, link: Link, message: "dict[str, Any]", fds: list[int]) -> "dict[str, Any]":
        """The daemon has kept the exit codes of these execs."""
        for identifier in message["exec_ids"]:
            self.execs.ended.pop(identifier, None)
        return {}

    def verb_stats(self, link: Link, message: "dict[str, Any]", fds: list[int]) -> "dict[str, Any]":
        lost = self._log.lost if self._log is not None else 0
        return {
            "output_bytes": self._streams.bytes_out,
            "log_lost_bytes": lost,
            "clients": len(self._clients),
            "execs": len(self.execs.running),
            "starting": len(self.execs.starting),
        }
