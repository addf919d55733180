"""Start the program and its execs by our own runtime (docs/design/runtime-init.md)."""

import _socket as socket
import os

from argosy.runtime import plainjson
from argosy.runtime.cgroups import open_group
from argosy.runtime.compile import PlanError, compile_exec
from argosy.runtime.shim.apart import Starter, apart
from argosy.runtime.spawn import Child, SpawnFailed, spawn, spawn_exec
from argosy.runtime.spawn.enter import exec_group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Stdio = tuple[int, int, int] | None


class StartError(Exception):
    """The program could not be started: Docker's text and exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class Native:
    """One container of our own runtime."""

    def __init__(self, plan: str, cgroup: "Mapping[str, Any]", starter: Starter) -> None:
        self._starter = starter
        self._plan = plan
        """JSON: only the forks that carry it out take it apart."""
        self._cgroup = cgroup
        self.group = open_group(cgroup)
        self.pid = 0
        self.master = -1
        self.warnings: list[str] = []
        self._child: Child | None = None

    def prepare(self, stdio: "Stdio") -> None:
        """Make the container up to its gate. Raises StartError with nothing left."""
        message, fds = self._starter.make(self._plan, stdio or ())
        if "pid" not in message:
            self.remove()
            raise _error(message)
        held = dict(zip(message["fds"], fds))
        self.pid, self.warnings = message["pid"], message["warnings"]
        self.master = held.get("master", -1)
        self._child = Child(self.pid, held["pidfd"], socket.socket(fileno=held["gate"]), "start", held.get("root", -1))

    def release(self) -> None:
        """Let it execute the program. Raises StartError; then the child has ended by itself."""
        assert self._child is not None
        try:
            self._child.release()
        except SpawnFailed as error:
            raise StartError(error.docker(), error.code) from None

    def abort(self) -> None:
        """Undo `prepare`."""
        if self._child is not None:
            self._child.abort()
        self.remove()

    def exec(self, request: "dict[str, Any]", stdio: "Stdio") -> "tuple[int, int, Callable[[int], None]]":
        """Start a process; return (pid, terminal's master or -1, how to signal it). Raises StartError with nothing left."""
        assert self._child is not None
        target = self._child.pidfd
        message, fds = apart(lambda: _enter(self._plan, request, target, self.pid, stdio))
        if "pid" not in message:
            raise _error(message)
        pid: int = message["pid"]
        return pid, fds[0] if fds else -1, lambda number: os.kill(pid, number)

    def exec_ended(self, exec_id: str) -> None:
        """Remove its cgroup, unless what it left behind still runs there: then with the container's."""
        group = exec_group({"cgroup": self._cgroup, "exec_id": exec_id})
        if not group.processes():
            group.remove()

    def kill_rest(self) -> None:
        """SIGKILL to whatever outlived init (only without a pid namespace of its own)."""
        if self.group.processes():
            self.group.kill()

    def oom_fd(self) -> int:
        return self.group.oom_fd()

    def oom_kills(self) -> int:
        return self.group.oom_kills()

    def close_root(self) -> None:
        """Give the root mount back, so that the snapshot can be mounted anew or removed."""
        if self._child is not None:
            self._child.close()

    def remove(self) -> None:
        """Remove the cgroup."""
        self.close_root()
        self.group.remove()


def make(text: str, stdio: "tuple[int, ...]") -> "tuple[dict[str, Any], list[int]]":
    """Make the container of a plan up to its gate; done in the starter."""
    plan = plainjson.loads(text)
    # The shim is kept from the OOM killer as far as allowed; the container must not inherit that.
    plan["oom_score_adj"] = plan.get("oom_score_adj") or 0
    try:
        child = spawn(plan, (stdio[0], stdio[1], stdio[2]) if stdio else None)
    except SpawnFailed as error:
        return {"failed": error.docker(), "code": error.code}, []
    # A duplicate of the gate: its socket object is closed when this function returns.
    held = {"pidfd": child.pidfd, "gate": os.dup(child.sync), "root": child.root, "master": child.master}
    held = {name: fd for name, fd in held.items() if fd >= 0}
    return {"pid": child.pid, "warnings": child.warnings, "fds": list(held)}, list(held.values())


def _enter(text: str, request: "Mapping[str, Any]", target: int, target_pid: int, stdio: "Stdio") -> "tuple[dict[str, Any], list[int]]":
    start = plainjson.loads(text)
    start["oom_score_adj"] = start.get("oom_score_adj") or 0
    rows, columns = request.get("console_size") or (0, 0)
    process = {**request["process"], "terminal": request["terminal"]}
    try:
        plan = compile_exec(process, start, exec_id=request["exec_id"], console_size=(rows, columns))
    except PlanError as error:
        return {"failed": str(error), "code": 126}, []
    group = exec_group(plan)
    try:
        child = spawn_exec(plan, target, target_pid, stdio, group=group)
        child.release()
    except SpawnFailed as error:
        group.remove()
        return {"failed": error.docker(), "code": error.code}, []
    return {"pid": child.pid}, [child.master] if child.master >= 0 else []


def _error(message: "Mapping[str, Any]") -> StartError:
    return StartError(message.get("failed", "failed to create task for container: its starter was killed"), message.get("code", 128))
