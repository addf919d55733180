"""cgroup v2: one directory. Documentation/admin-guide/cgroup-v2.rst."""

import os
import select

from argosy.linux import bpf
from argosy.linux.inotify import MODIFY, Inotify
from argosy.runtime.cgroups import devices, files, unified_stats
from argosy.runtime.cgroups.apply import apply
from argosy.runtime.cgroups.group import Group, Resources
from argosy.runtime.cgroups.limits import unified_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FREEZE_MILLISECONDS = 10_000


class UnifiedGroup(Group):
    clones_into = True

    def directory(self) -> str:
        return self.unified + self.path

    def create(self) -> list[str]:
        try:
            directory = make_directory(self.unified, self.path)
            self._write_devices(self.resources.get("devices") or [])
            return apply(unified_settings(self.resources), lambda controller: directory)
        except (OSError, ValueError):
            self.remove()
            raise

    def _write_devices(self, rules: "list[dict[str, Any]]") -> None:
        if not rules:
            return
        program = bpf.load_device_program(devices.program(rules))
        try:
            directory = os.open(self.directory(), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                bpf.attach_device_program(directory, program)
            finally:
                os.close(directory)
        finally:
            os.close(program)

    def clone_fd(self) -> int:
        return os.open(self.directory(), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def kill(self, signal: int = 9) -> None:
        if signal == 9:
            try:
                files.write(self.directory() + "/cgroup.kill", "1")  # Linux 5.14
                return
            except OSError:
                pass
        super().kill(signal)

    def freeze(self) -> None:
        directory = self.directory()
        files.write(directory + "/cgroup.freeze", "1")
        if not self._wait_frozen(directory):
            self.thaw()
            raise OSError(16, "unable to freeze", directory)

    def _wait_frozen(self, directory: str) -> bool:
        """cgroup.events changes, and polls as POLLPRI, when the last process stands still."""
        fd = os.open(directory + "/cgroup.events", os.O_RDONLY | os.O_CLOEXEC)
        try:
            poll = select.poll()
            poll.register(fd, select.POLLPRI)
            while files.table(os.pread(fd, 4096, 0).decode("ascii")).get("frozen") != 1:
                if not poll.poll(_FREEZE_MILLISECONDS):
                    return False
            return True
        finally:
            os.close(fd)

    def thaw(self) -> None:
        files.write(self.directory() + "/cgroup.freeze", "0")

    def frozen(self) -> bool:
        return files.read_or(self.directory() + "/cgroup.freeze").strip() == "1"

    def update(self, resources: "Resources") -> list[str]:
        if resources.get("devices"):
            self._write_devices(list(resources["devices"]))
        directory = self.directory()
        return apply(unified_settings(resources), lambda controller: directory)

    def sample(self) -> "dict[str, Any]":
        return unified_stats.sample(self.directory())

    def oom_fd(self) -> int:
        watch = Inotify()
        try:
            watch.watch(self.directory() + "/memory.events", MODIFY)
        except OSError:
            watch.close()
            return -1
        return watch.detach()

    def oom_kills(self, log: int = -1) -> int:
        return files.table(files.read_or(self.directory() + "/memory.events")).get("oom_kill", 0)

    def sub(self, name: str) -> Group:
        return UnifiedGroup(path=f"{self.path}/{name}", mounts=self.mounts, unified=self.unified, resources={})


def make_directory(root: str, path: str) -> str:
    """Create ``path`` below ``root`` with every controller handed down to it, and return the directory.

    A controller that a parent cannot hand down is left out: `apply` warns where a limit needs it.
    """
    directory = root
    for name in path.strip("/").split("/"):
        _hand_down(directory)
        directory += "/" + name
        try:
            os.mkdir(directory, 0o755)
        except FileExistsError:
            pass
    return directory


def _hand_down(directory: str) -> None:
    # A group with processes of its own would take the threaded controllers (cpu, pids) and become a threaded domain: what is below
    # then takes no process at all (cgroup-v2.rst, "Threads"; clone3: EOPNOTSUPP). The root has no cgroup.type and is free of that.
    if os.path.exists(directory + "/cgroup.type") and files.read_or(directory + "/cgroup.procs"):
        return
    wanted = set(files.read_or(directory + "/cgroup.controllers").split())
    wanted -= set(files.read_or(directory + "/cgroup.subtree_control").split())
    if not wanted:
        return
    control = directory + "/cgroup.subtree_control"
    try:
        files.write(control, " ".join("+" + name for name in sorted(wanted)))
    except OSError:
        for name in sorted(wanted):
            try:
                files.write(control, "+" + name)
            except OSError:
                continue
