"""The starter's work: a container made from its plan."""

import os

from argosy.runtime.cgroups import open_group
from argosy.runtime.compile import exec_part
from argosy.runtime.shim import wire
from argosy.runtime.shim.stage import StartError, set_stage
from argosy.runtime.spawn import Child, SpawnFailed, begin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Maker:
    """Makes the container of a plan (`stage.Maker`)."""

    def __init__(self, plan: "dict[str, Any]") -> None:
        # The shim is kept from the OOM killer as far as allowed; the container must not inherit that.
        plan["oom_score_adj"] = plan.get("oom_score_adj") or 0
        self._plan = plan
        self._group = open_group(plan["cgroup"])
        self._child: Child | None = None
        self.pid = 0
        self.master = -1
        self.warnings: list[str] = []

    def begin(self, stdio: "tuple[int, int, int] | None") -> None:
        try:
            self._child = begin(self._plan, stdio, self._group)
        except SpawnFailed as error:
            raise StartError(error.docker(), error.code) from None
        self.pid = self._child.pid

    def finish(self) -> None:
        assert self._child is not None
        try:
            self._child.wait_prepared()
        except SpawnFailed as error:
            raise StartError(error.docker(), error.code) from None
        self.master, self.warnings = self._child.master, self._child.warnings

    def held(self) -> "dict[str, int]":
        assert self._child is not None
        fds = {
            "pidfd": self._child.pidfd,
            # A duplicate: its socket object is closed when this one goes.
            "gate": os.dup(self._child.sync),
            "root": self._child.root,
            "oom": self._group.oom_fd(),
            "oom_log": self._group.oom_log(),
            "plan": wire.encode(exec_part(self._plan)),
        }
        return {name: fd for name, fd in fds.items() if fd >= 0}

    def abort(self) -> None:
        if self._child is not None:
            self._child.abort()
        self._group.remove()


def make(request_fd: int, plan_fd: int) -> "tuple[dict[str, Any], list[int]]":
    """Set the stage for the shim, this process's parent; return the starter's answer: the stage, with the names of its fds."""
    shim = os.getppid()
    protect_from_oom(shim)
    request = wire.decode(request_fd)
    try:
        stage, fds = set_stage(request, shim, Maker(wire.decode(plan_fd)))
    except StartError as error:
        return {"failed": str(error), "code": error.code}, []
    return {**stage, "fds": list(fds)}, list(fds.values())


def protect_from_oom(pid: int) -> None:
    """Ask for the lowest oom_score_adj, or at least the usual one (proc(5): lowering needs CAP_SYS_RESOURCE)."""
    for score in (b"-999", b"0"):
        try:
            fd = os.open(f"/proc/{pid}/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
        except OSError:
            return
        try:
            os.write(fd, score)
            return
        except OSError:
            continue
        finally:
            os.close(fd)
