"""A container of our own runtime in the hands of its shim (docs/design/runtime-init.md); `shim/maker.py` has made it."""

import _socket as socket
import os

from argosy.runtime import plainjson
from argosy.runtime.cgroups import open_group
from argosy.runtime.compile import PlanError, compile_exec
from argosy.runtime.shim.apart import Starter
from argosy.runtime.shim.stage import StartError
from argosy.runtime.spawn import Child, SpawnFailed, spawn_exec
from argosy.runtime.spawn.enter import exec_group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from argosy.runtime.cgroups import Group
    from argosy.runtime.shim.apart import Said, Tell

    Stdio = tuple[int, int, int] | None


class Native:
    """One container of our own runtime, as its shim holds it."""

    def __init__(self, stage: "Mapping[str, Any]", fds: "dict[str, int]") -> None:
        self.pid: int = stage["pid"]
        self.master = fds.get("master", -1)
        self._child = Child(self.pid, fds["pidfd"], socket.socket(fileno=fds["gate"]), "start", fds.get("root", -1))
        self._plan = fds["plan"]
        self._oom_log = fds.get("oom_log", -1)
        self._group: Group | None = None

    @property
    def group(self) -> "Group":
        """The container's cgroup; looked up when it is needed, which is seldom before the end."""
        if self._group is None:
            self._group = open_group(_plan(self._plan)["cgroup"])
        return self._group

    def release(self) -> None:
        """Let it execute the program. Raises StartError; then the child has ended by itself."""
        try:
            self._child.release()
        except SpawnFailed as error:
            raise StartError(error.docker(), error.code) from None

    def abort(self) -> None:
        """Undo `prepare`."""
        self._child.abort()
        self.remove()

    def enter(self, request: "dict[str, Any]", stdio: "Stdio") -> Starter:
        """Begin to start a process (`execs.Runner`)."""
        target = self._child.pidfd
        return Starter([self._plan, target, *(stdio or ())], lambda tell: _enter(self._plan, request, target, self.pid, stdio, tell))

    def exec_ended(self, exec_id: str) -> None:
        """Remove its cgroup, unless what it left behind still runs there: then with the container's."""
        group = exec_group({"cgroup": _plan(self._plan)["cgroup"], "exec_id": exec_id})
        if not group.processes():
            group.remove()

    def kill_rest(self) -> None:
        """SIGKILL to whatever outlived init (only without a pid namespace of its own)."""
        if self.group.processes():
            self.group.kill()

    def oom_kills(self) -> int:
        return self.group.oom_kills(self._oom_log)

    def close_root(self) -> None:
        """Give the root mount back, so that the snapshot can be mounted anew or removed."""
        self._child.close()

    def remove(self) -> None:
        """Remove the cgroup."""
        self.close_root()
        self.group.remove()


def _plan(memfd: int) -> "dict[str, Any]":
    plan: dict[str, Any] = plainjson.loads(os.pread(memfd, os.fstat(memfd).st_size, 0))
    return plan


def _enter(memfd: int, request: "Mapping[str, Any]", target: int, target_pid: int, stdio: "Stdio", tell: "Tell") -> "Said":
    start = _plan(memfd)
    rows, columns = request.get("console_size") or (0, 0)
    process = {**request["process"], "terminal": request["terminal"]}
    try:
        plan = compile_exec(process, start, exec_id=request["exec_id"], console_size=(rows, columns))
    except PlanError as error:
        return {"failed": str(error), "code": 126}, []
    group = exec_group(plan)
    try:
        child = spawn_exec(plan, target, target_pid, stdio, group=group, begun=lambda pid: tell({"child": pid}))
        child.release()
    except SpawnFailed as error:
        group.remove()
        return {"failed": error.docker(), "code": error.code}, []
    return {"pid": child.pid}, [child.master] if child.master >= 0 else []
