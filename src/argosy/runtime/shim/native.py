"""Start the program and its execs by our own runtime (docs/design/runtime-init.md)."""

import os

from argosy.runtime.cgroups import open_group
from argosy.runtime.compile import PlanError, compile_exec
from argosy.runtime.spawn import SpawnFailed, spawn, spawn_exec
from argosy.runtime.spawn.enter import exec_group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from argosy.runtime.cgroups import Group
    from argosy.runtime.spawn import Child

    Stdio = tuple[int, int, int] | None


class StartError(Exception):
    """The program could not be started: Docker's text and exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class Native:
    """One container of our own runtime."""

    def __init__(self, plan: "dict[str, Any]") -> None:
        # This process is kept from the OOM killer as far as allowed; the container must not inherit that.
        self.plan = {**plan, "oom_score_adj": plan.get("oom_score_adj") or 0}
        self.group = open_group(plan["cgroup"])
        self._exec_groups: dict[str, Group] = {}
        self.pid = 0
        self.master = -1
        self.warnings: list[str] = []
        self._child: Child | None = None

    def prepare(self, stdio: "Stdio") -> None:
        """Make the container up to its gate. Raises StartError with nothing left."""
        try:
            self._child = spawn(self.plan, stdio, group=self.group)
        except SpawnFailed as error:
            raise StartError(error.docker(), error.code) from None
        self.pid, self.master, self.warnings = self._child.pid, self._child.master, list(self._child.warnings)
        self._child.master = -1  # the streams own it now

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
        process = {**request["process"], "terminal": request["terminal"]}
        rows, columns = request.get("console_size") or (0, 0)
        try:
            plan = compile_exec(process, self.plan, exec_id=request["exec_id"], console_size=(rows, columns))
        except PlanError as error:
            raise StartError(str(error), 126) from None
        group = exec_group(plan)
        try:
            child = spawn_exec(plan, self._child.pidfd, self.pid, stdio, group=group)
            try:
                child.release()
            except BaseException:
                group.remove()
                raise
        except SpawnFailed as error:
            raise StartError(error.docker(), error.code) from None
        pid, master = child.pid, child.master
        child.master = -1
        child.close()
        self._exec_groups[request["exec_id"]] = group
        return pid, master, lambda number: os.kill(pid, number)

    def exec_ended(self, exec_id: str) -> None:
        """Remove its cgroup, unless what it left behind still runs there: then with the container's."""
        group = self._exec_groups.pop(exec_id, None)
        if group is not None and not group.processes():
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
