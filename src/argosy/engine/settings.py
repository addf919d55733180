"""What the daemon's configuration means to the engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from argosy.engine.model import LogConfig, Ulimit
from argosy.engine.selinux import Policy


@dataclass(frozen=True, slots=True)
class EngineSettings:
    data_root: str
    exec_root: str
    cgroup_parent: str = "/argosy"
    """``/argosy`` under cgroupfs, a slice such as ``system.slice`` under systemd."""
    systemd_cgroup: bool = False
    private_cgroup: bool = False
    """Whether containers get a cgroup namespace when they ask for nothing (v2: yes, v1: no, as Docker's)."""
    unified_cgroups: bool = False
    """cgroup v2 alone: there the privileged get a namespace, too."""
    private_ipc: bool = True
    default_log: LogConfig = field(default_factory=lambda: LogConfig("json-file", {}))
    default_ulimits: tuple[Ulimit, ...] = ()
    default_shm_size: int = 67108864
    default_runtime: str = "argosy"
    runtimes: Mapping[str, str] = field(default_factory=dict)
    """Name → path of a foreign OCI runtime."""
    init: bool = False
    no_new_privileges: bool = False
    selinux: Policy | None = None
    """How containers are labelled; None: not at all."""
    seccomp_profile: str = ""
    """``""`` the default profile, ``unconfined``, or a path."""
    stop_timeout: int = 10
    shutdown_timeout: int = 15
    uid_map: Sequence[Mapping[str, int]] = ()
    gid_map: Sequence[Mapping[str, int]] = ()
    ip_forward: bool = True
    labels: tuple[str, ...] = ()
    cdi_spec_dirs: tuple[str, ...] = ()
    """Where vendors describe their devices; a later one wins."""
