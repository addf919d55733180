"""cgroup v1: one directory in each controller's hierarchy. Documentation/admin-guide/cgroup-v1."""

import os
import time

from argosy.runtime.cgroups import devices, files, legacy_stats
from argosy.runtime.cgroups.apply import apply
from argosy.runtime.cgroups.group import Group, Resources, signal_process
from argosy.runtime.cgroups.limits import Setting, legacy_settings, unified_settings
from argosy.runtime.cgroups.unified import make_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_FREEZE_SECONDS = 10.0


class LegacyGroup(Group):
    """On a hybrid host, controllers that are only in the v2 hierarchy are used there."""

    def _points(self) -> dict[str, str]:
        """Return mount point → one of its controllers, each hierarchy once."""
        points: dict[str, str] = {}
        for controller, point in self.mounts.items():
            points.setdefault(point, controller)
        return points

    def directories(self) -> "Sequence[str]":
        paths = [point + self.path for point in self._points()]
        if self._unified_settings():
            paths.append(self.unified + self.path)
        return paths

    _elsewhere: "list[Setting] | None" = None

    def _unified_settings(self) -> "list[Setting]":
        """Return the limits whose controller is only in the v2 hierarchy; without any the group has no part there."""
        if self._elsewhere is None:
            self._elsewhere = self._find_unified_settings()
        return self._elsewhere

    def _find_unified_settings(self) -> "list[Setting]":
        wanted = [setting for setting in unified_settings(self.resources) if self.directory_of(setting.controller) is None]
        if not wanted or not self.unified:
            return []
        offered = files.read_or(self.unified + "/cgroup.controllers").split()
        return [setting for setting in wanted if setting.controller in offered]

    def directory_of(self, controller: str) -> "str | None":
        """Return the group's directory for a controller, None when it is not mounted."""
        controller = "blkio" if controller == "io" else controller
        point = self.mounts.get(controller)
        return None if point is None else point + self.path

    def directory(self) -> str:
        # The freezer's, because an exec has a cgroup of its own there alone.
        for controller in ("freezer", "devices", "pids", "memory"):
            if controller in self.mounts:
                return self.mounts[controller] + self.path
        return next(iter(self.mounts.values())) + self.path

    def create(self) -> list[str]:
        try:
            for point, controller in self._points().items():
                _make(point, self.path, cpuset="cpuset" in (controller, *self._sharing(point)))
            warnings = self._create_unified()
            self._write_devices(self.resources.get("devices") or [])
            elsewhere = {setting.controller for setting in self._unified_settings()}
            settings = [setting for setting in legacy_settings(self.resources) if setting.controller not in elsewhere]
            return warnings + apply(settings, self.directory_of)
        except OSError:
            self.remove()
            raise

    def _sharing(self, point: str) -> list[str]:
        return [controller for controller, other in self.mounts.items() if other == point]

    def _create_unified(self) -> list[str]:
        settings = self._unified_settings()
        if not settings:
            return []
        directory = make_directory(self.unified, self.path)
        return apply(settings, lambda controller: directory)

    def _write_devices(self, rules: "list[dict[str, Any]]") -> None:
        directory = self.directory_of("devices")
        if directory is None or not rules:
            return
        for file, value in devices.legacy_rules(rules):
            files.write(f"{directory}/{file}", value)

    def doors(self) -> "list[int]":
        return _open([*self._doors(), *self._unified_doors()])

    def _doors(self) -> list[str]:
        return [f"{point}{self.path}/tasks" for point in self._points()]

    def _unified_doors(self) -> list[str]:
        # v2 knows single threads only in threaded groups.
        return [f"{self.unified}{self.path}/cgroup.procs"] if self._unified_settings() else []

    def freeze(self) -> None:
        directory = self._freezer()
        deadline = time.monotonic() + _FREEZE_SECONDS
        attempt = 0
        while True:
            # Written again on every turn: a fork that races leaves it FREEZING (freezer-subsystem.rst).
            files.write(directory + "/freezer.state", "FROZEN")
            if self._state() == "FROZEN":
                return
            if time.monotonic() > deadline:
                self.thaw()
                raise OSError(16, "unable to freeze", directory)
            attempt += 1
            if attempt % 10 == 0:
                # A process stuck in vfork's wait can be frozen only after its child went on.
                files.write(directory + "/freezer.state", "THAWED")
            time.sleep(0.001 if attempt < 20 else 0.01)

    def thaw(self) -> None:
        files.write(self._freezer() + "/freezer.state", "THAWED")

    def frozen(self) -> bool:
        return "freezer" in self.mounts and self._state() in ("FROZEN", "FREEZING")

    def _state(self) -> str:
        return files.read_or(f"{self.mounts['freezer']}{self.path}/freezer.state").strip()

    def _freezer(self) -> str:
        directory = self.directory_of("freezer")
        if directory is None:
            raise OSError(2, "the freezer cgroup is not mounted on this host", "freezer.state")
        return directory

    def kill(self, signal: int = 9) -> None:
        if signal != 9 or "freezer" not in self.mounts or len(self.processes()) < 2:
            super().kill(signal)
            if signal == 9 and self.frozen():
                self.thaw()
            return
        # Standing still they cannot fork away from the list; the kill takes effect when they thaw.
        try:
            files.write(self._freezer() + "/freezer.state", "FROZEN")
        except OSError:
            pass
        for pid in self.processes():
            signal_process(pid, 9)
        try:
            self.thaw()
        except OSError:
            return
        super().kill(signal)

    def update(self, resources: "Resources") -> list[str]:
        if resources.get("devices"):
            self._write_devices(list(resources["devices"]))
        return apply(legacy_settings(resources), self.directory_of)

    def sample(self) -> "dict[str, Any]":
        return legacy_stats.sample(self.directory_of)

    def oom_fd(self) -> int:
        directory = self.directory_of("memory")
        if directory is None:
            return -1
        # memory.rst "OOM Control": an eventfd is told of each OOM, and when the group is removed.
        event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        try:
            control = os.open(directory + "/memory.oom_control", os.O_RDONLY | os.O_CLOEXEC)
            try:
                files.write(directory + "/cgroup.event_control", f"{event} {control}")
            finally:
                os.close(control)
        except OSError:
            os.close(event)
            return -1
        return event

    def oom_kills(self, log: int = -1) -> int:
        directory = self.directory_of("memory")
        return files.table(files.read_or(f"{directory}/memory.oom_control")).get("oom_kill", 0) if directory else 0

    def sub(self, name: str) -> Group:
        return LegacySubGroup(self, name)


class LegacySubGroup(LegacyGroup):
    """An exec's: its own in the freezer, the container's in all other hierarchies."""

    def __init__(self, parent: LegacyGroup, name: str) -> None:
        super().__init__(path=f"{parent.path}/{name}", mounts=parent.mounts, unified=parent.unified, resources={})
        self._parent = parent

    def directories(self) -> "Sequence[str]":
        return [self.directory()]

    def create(self) -> list[str]:
        directory = self.directory()
        if "freezer" in self.mounts:
            try:
                os.mkdir(directory, 0o755)
            except FileExistsError:
                pass
        return []

    def doors(self) -> "list[int]":
        own = self.mounts.get("freezer")
        shared = [path for path in self._parent._doors() if own is None or not path.startswith(own + "/")]
        return _open([*shared, *self._parent._unified_doors(), *([] if own is None else [self.directory() + "/tasks"])])

    def oom_kills(self, log: int = -1) -> int:
        return self._parent.oom_kills()


def _open(paths: list[str]) -> list[int]:
    opened: list[int] = []
    try:
        for path in paths:
            opened.append(os.open(path, os.O_WRONLY | os.O_CLOEXEC))
    except BaseException:
        for fd in opened:
            os.close(fd)
        raise
    return opened


def _make(point: str, path: str, *, cpuset: bool) -> None:
    """Create the directories of ``path``; a new cpuset is empty and takes no process before it has CPUs and memory."""
    try:
        os.mkdir(point + path, 0o755)
    except FileExistsError:
        if not cpuset:
            return
    except FileNotFoundError:
        _make(point, path.rpartition("/")[0], cpuset=cpuset)
        os.mkdir(point + path, 0o755)
    if cpuset:
        _fill_cpuset(point, path)


def _fill_cpuset(point: str, path: str) -> None:
    """Give an empty cpuset its parent's CPUs and memory; the parent's first, which another start may be just making."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        if files.read(f"{point}{path}/{name}").strip():
            continue
        above = path.rpartition("/")[0]
        if above:
            _fill_cpuset(point, above)
        files.write(f"{point}{path}/{name}", files.read(f"{point}{above}/{name}").strip())
