"""What the compiler has to know of the host; probed once, passed in, so that compiling stays pure."""

import os

from argosy.linux import kernel
from argosy.linux.capabilities import last_capability
from argosy.linux.syscall import MACHINE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class HostFacts:
    """Facts of one host; plain attributes, JSON types only."""

    __slots__ = (
        "apparmor",
        "cgroup_mounts",
        "cgroup_namespaces",
        "kcore",
        "kernel",
        "last_capability",
        "lowerdir_plus",
        "machine",
        "seccomp",
        "unified",
        "unified_controllers",
    )

    def __init__(
        self,
        *,
        kernel: tuple[int, int],
        machine: str = "x86_64",
        cgroup_mounts: "Mapping[str, str] | None" = None,
        unified: str = "",
        unified_controllers: "Sequence[str]" = (),
        lowerdir_plus: bool = True,
        last_capability: int = 40,
        apparmor: bool = False,
        seccomp: bool = True,
        cgroup_namespaces: bool = True,
        kcore: bool = True,
    ) -> None:
        self.kernel = kernel
        self.machine = machine
        self.cgroup_mounts = dict(cgroup_mounts or {})
        """v1 controller (or ``name=systemd``) → mount point."""
        self.unified = unified
        """Mount point of the v2 hierarchy, or empty."""
        self.unified_controllers = list(unified_controllers)
        self.lowerdir_plus = lowerdir_plus
        self.last_capability = last_capability
        self.apparmor = apparmor
        self.seccomp = seccomp
        self.cgroup_namespaces = cgroup_namespaces
        self.kcore = kcore

    @property
    def cgroup_mode(self) -> str:
        """Return ``v1``, ``hybrid`` or ``v2``: by whether any controller is mounted as v1."""
        if any(not name.startswith("name=") for name in self.cgroup_mounts):
            return "hybrid" if self.unified else "v1"
        return "v2"


def probe_host(*, overlay: bool = True) -> HostFacts:
    """Return the facts of this host; a few reads of /proc and /sys and, if overlays are to be mounted, one fsopen."""
    mounts, unified = kernel.cgroup_mounts()
    return HostFacts(
        kernel=kernel.release(),
        machine=MACHINE,
        cgroup_mounts=mounts,
        unified=unified,
        unified_controllers=kernel.cgroup_controllers(unified) if unified else (),
        lowerdir_plus=overlay and kernel.has_lowerdir_plus(),
        last_capability=last_capability(),
        apparmor=_apparmor(),
        seccomp=os.path.exists("/proc/sys/kernel/seccomp"),
        cgroup_namespaces=os.path.exists("/proc/self/ns/cgroup"),
        kcore=os.path.exists("/proc/kcore"),
    )


def _apparmor() -> bool:
    try:
        with open("/sys/module/apparmor/parameters/enabled") as file:
            return file.read(1) == "Y"
    except OSError:
        return False
