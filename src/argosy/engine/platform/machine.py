"""`Machine`: what the kernel offers, as a value. Everything that decides takes it; tests make their own."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Cgroups:
    """Which limits can be enforced (moby ``pkg/sysinfo.SysInfo``)."""

    version: int = 2
    memory: bool = True
    swap: bool = True
    memory_reservation: bool = True
    memory_swappiness: bool = False
    oom_kill_disable: bool = False
    kernel_memory_tcp: bool = False
    pids: bool = True
    cpu_shares: bool = True
    cpu_cfs: bool = True
    cpu_realtime: bool = False
    cpuset: bool = True
    blkio_weight: bool = True
    blkio_weight_device: bool = True
    blkio_read_bps: bool = True
    blkio_write_bps: bool = True
    blkio_read_iops: bool = True
    blkio_write_iops: bool = True
    devices: bool = True
    freezer: bool = True


@dataclass(frozen=True, slots=True)
class Machine:
    cpus: int
    """CPUs that this process may use."""
    cpuset_cpus: str
    """Those that a container may be given (``0-3,6``)."""
    cpuset_mems: str
    memory: int
    """Bytes."""
    kernel: str
    architecture: str
    """As uname says (``x86_64``)."""
    os_name: str
    """``PRETTY_NAME`` of os-release."""
    os_version: str
    hostname: str
    cgroups: Cgroups = field(default_factory=Cgroups)
    seccomp: bool = True
    apparmor: bool = False
    """The kernel confines by AppArmor, and there is a parser to load profiles with."""
    apparmor_parser: str = ""
    """Its path; empty where the package apparmor is not installed."""
    apparmor_in_kernel: bool = False
    """What there is without the parser: then containers run without a profile, which is worth a warning."""
    selinux: bool = False
    user_namespaces: bool = True
    cgroup_namespaces: bool = True
    ipv4_forwarding: bool = True
    recursive_read_only: bool = True
    """mount_setattr(2) can make a whole tree of mounts read-only (Linux 5.12)."""
    in_container: bool = False
    """This machine's init is in a cgroup of its own, as within a container."""
