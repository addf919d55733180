"""A container's cgroup as a transient scope of systemd's (``--exec-opt native.cgroupdriver=systemd``).

The directories are made as with cgroupfs, at the path that systemd will use, so that everything else is the same; the scope is
started for the first process, because a scope cannot be without one.
"""

import os
import time

from argosy.runtime.cgroups import files, kernel_log
from argosy.runtime.cgroups.dbus import BusError, Connection
from argosy.runtime.cgroups.group import Group, Resources
from argosy.runtime.cgroups.units import limit_properties, unit_properties

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_JOB_SECONDS = 20.0


class SystemdGroup(Group):
    """``inner`` does what is done with files. Raises OSError also for what systemd refuses."""

    def __init__(self, inner: Group, unit: str, slice_name: str, *, connect: "Callable[[], Connection]" = Connection) -> None:
        super().__init__(path=inner.path, mounts=inner.mounts, unified=inner.unified, resources=inner.resources)
        self._inner = inner
        self._unit = unit
        self._slice = slice_name
        self._connect = connect

    def create(self) -> list[str]:
        self._quietly("ResetFailedUnit")
        return self._inner.create()

    def admit(self, pid: int) -> None:
        if not self._inner.processes():
            self._start(pid)

    def doors(self) -> "list[int]":
        return self._inner.doors()

    def _start(self, pid: int) -> None:
        unified = self._inner.clones_into
        properties = [list(pair) for pair in unit_properties(self._unit, self._slice, self.resources, pid, unified=unified)]
        try:
            with self._connect() as systemd:
                systemd.manager("StartTransientUnit", "ssa(sv)a(sa(sv))", self._unit, "replace", properties, [])
        except BusError as error:
            raise OSError(5, f"systemd did not start {self._unit}: {error}", self.path) from error
        self._wait_joined(pid)
        # systemd has just written its own defaults for what it was not told.
        self._inner.update({key: value for key, value in self.resources.items() if key != "devices"})

    def _wait_joined(self, pid: int) -> None:
        """The call only queues a job; it is done when the process is where it should be."""
        deadline = time.monotonic() + _JOB_SECONDS
        suffix = self.path + "\n"
        while not any(line.endswith(suffix) for line in files.read_or(f"/proc/{pid}/cgroup").splitlines(keepends=True)):
            if time.monotonic() > deadline or not os.path.exists(f"/proc/{pid}"):
                raise OSError(110, f"systemd did not put the container into {self._unit}", self.path)
            time.sleep(0.001)

    def directory(self) -> str:
        return self._inner.directory()

    def directories(self) -> "Sequence[str]":
        return self._inner.directories()

    def processes(self) -> list[int]:
        return self._inner.processes()

    def kill(self, signal: int = 9) -> None:
        self._inner.kill(signal)

    def freeze(self) -> None:
        self._inner.freeze()

    def thaw(self) -> None:
        self._inner.thaw()

    def frozen(self) -> bool:
        return self._inner.frozen()

    def update(self, resources: "Resources") -> list[str]:
        properties = [list(pair) for pair in limit_properties(resources, unified=self._inner.clones_into)]
        if properties:
            try:
                with self._connect() as systemd:
                    systemd.manager("SetUnitProperties", "sba(sv)", self._unit, True, properties)
            except BusError as error:
                raise OSError(5, f"systemd did not change {self._unit}: {error}", self.path) from error
        return self._inner.update(resources)

    def sample(self) -> "dict[str, Any]":
        return self._inner.sample()

    def oom_fd(self) -> int:
        return self._inner.oom_fd()

    def oom_log(self) -> int:
        # systemd removes a scope's cgroup when it is empty, which it is before anybody can learn that its last process has ended.
        return kernel_log.follow()

    def oom_kills(self, log: int = -1) -> int:
        kills = self._inner.oom_kills()
        return kills if kills or log < 0 or self._inner.exists() else kernel_log.oom_kills(log, self.path)

    def sub(self, name: str) -> Group:
        return self._inner.sub(name)

    def exists(self) -> bool:
        return self._inner.exists()

    def remove(self) -> None:
        self._quietly("StopUnit", "replace")
        self._inner.remove()
        self._quietly("ResetFailedUnit")

    def _quietly(self, member: str, *more: str) -> None:
        """A unit that is not there, or a systemd that is not, is no reason to fail here."""
        try:
            with self._connect() as systemd:
                systemd.manager(member, "s" * (1 + len(more)), self._unit, *more)
        except (BusError, OSError):
            pass
