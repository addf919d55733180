"""``GET /info``: the daemon and its machine, in full and as they are (Engine API ``SystemInfo``). Pure but for `usage_now`."""

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from argosy.base.clock import rfc3339_nano
from argosy.engine.model import State, Status
from argosy.engine.platform import Cgroups, Machine

INDEX_SERVER = "https://index.docker.io/v1/"
LOG_DRIVERS = ("fluentd", "gelf", "journald", "json-file", "local", "none", "syslog")
_LOOPBACK = ("::1/128", "127.0.0.0/8")
_STOPPED = (Status.CREATED, Status.EXITED, Status.DEAD, Status.REMOVING)


@dataclass(frozen=True, slots=True, kw_only=True)
class InfoSettings:
    """What the configuration, and the layers below at boot, say; it does not change while the daemon runs."""

    daemon_id: str
    name: str
    version: str
    data_root: str
    commit: str = ""
    debug: bool = False
    labels: Sequence[str] = ()
    storage_driver: str = "overlay2"
    driver_status: Sequence[tuple[str, str]] = ()
    network_drivers: Sequence[str] = ("bridge", "host", "null")
    volume_drivers: Sequence[str] = ("local",)
    log_drivers: Sequence[str] = LOG_DRIVERS
    default_log_driver: str = "json-file"
    cdi_spec_dirs: Sequence[str] = ()
    systemd_cgroup: bool = False
    private_cgroup: bool = False
    seccomp_profile: str = ""
    no_new_privileges: bool = False
    selinux: bool = False
    userns_remap: bool = False
    rootless: bool = False
    default_runtime: str = "argosy"
    runtimes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Name → ``{"path": …, "runtimeArgs": […], "status": {…}}``, the default among them."""
    init_binary: str = "argosy-init"
    registry_mirrors: Sequence[str] = ()
    insecure_registries: Sequence[str] = ()
    address_pools: Sequence[tuple[str, int]] = ()
    """(base, size) of each default address pool."""
    firewall_backend: str = "nftables"
    firewall_details: Sequence[tuple[str, str]] = ()
    http_proxy: str = ""
    https_proxy: str = ""
    no_proxy: str = ""
    experimental: bool = False
    warnings: Sequence[str] = ()
    """True ones that only the wiring knows (TCP without TLS, a storage driver that was fallen back to)."""


@dataclass(frozen=True, slots=True)
class Counts:
    containers: int = 0
    running: int = 0
    paused: int = 0
    stopped: int = 0
    images: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """What changes from one request to the next."""

    time: int
    files: int = 0
    tasks: int = 0
    listeners: int = 0
    """Clients that follow the events."""
    ipv4_forwarding: bool = True
    devices: Sequence[str] = ()
    """Those that vendors' files describe now."""


def count(states: Iterable[State], images: int) -> Counts:
    """Return the numbers of containers by what they do; a restarting one counts as running, as Docker's."""
    all_states = [state.status for state in states]
    paused = sum(status is Status.PAUSED for status in all_states)
    stopped = sum(status in _STOPPED for status in all_states)
    return Counts(len(all_states), len(all_states) - paused - stopped, paused, stopped, images)


def usage_now(now_ns: int, listeners: int = 0, devices: Sequence[str] = ()) -> Usage:
    """Return the daemon's present usage; needs a running loop for the number of tasks."""
    with open("/proc/sys/net/ipv4/ip_forward", encoding="ascii") as file:
        forwarding = file.read().strip() != "0"
    return Usage(now_ns, len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks()), listeners, forwarding, devices)


def system_info(
    settings: InfoSettings, machine: Machine, counts: Counts, usage: Usage, swarm: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the newest shape; `argosy.api` takes back what older versions did not have. ``swarm``: None outside of one."""
    return {
        **_numbers(settings, counts, usage),
        **_limits(machine.cgroups, usage),
        **_machine(settings, machine),
        **_daemon(settings),
        "Swarm": swarm or _NO_SWARM,
        **({"DiscoveredDevices": [{"Source": "cdi", "ID": name} for name in usage.devices]} if usage.devices else {}),
        "SecurityOptions": security_options(settings, machine),
        "Warnings": [*warnings(machine, usage), *settings.warnings] or None,
    }


_NO_SWARM: Mapping[str, Any] = {
    "NodeID": "",
    "NodeAddr": "",
    "LocalNodeState": "inactive",
    "ControlAvailable": False,
    "Error": "",
    "RemoteManagers": None,
}


def _numbers(settings: InfoSettings, counts: Counts, usage: Usage) -> dict[str, Any]:
    return {
        "ID": settings.daemon_id,
        "Containers": counts.containers,
        "ContainersRunning": counts.running,
        "ContainersPaused": counts.paused,
        "ContainersStopped": counts.stopped,
        "Images": counts.images,
        "Driver": settings.storage_driver,
        "DriverStatus": [list(pair) for pair in settings.driver_status],
        "Plugins": {
            "Volume": list(settings.volume_drivers),
            "Network": list(settings.network_drivers),
            "Authorization": None,
            "Log": [name for name in settings.log_drivers if name != "none"],
        },
        "Debug": settings.debug,
        "NFd": usage.files,
        "NGoroutines": usage.tasks,
        "SystemTime": rfc3339_nano(usage.time),
        "NEventsListener": usage.listeners,
    }


def _limits(cgroups: Cgroups, usage: Usage) -> dict[str, Any]:
    return {
        "MemoryLimit": cgroups.memory,
        "SwapLimit": cgroups.swap,
        "KernelMemoryTCP": cgroups.kernel_memory_tcp,
        "CpuCfsPeriod": cgroups.cpu_cfs,
        "CpuCfsQuota": cgroups.cpu_cfs,
        "CPUShares": cgroups.cpu_shares,
        "CPUSet": cgroups.cpuset,
        "PidsLimit": cgroups.pids,
        "OomKillDisable": cgroups.oom_kill_disable,
        "IPv4Forwarding": usage.ipv4_forwarding,
    }


def _machine(settings: InfoSettings, machine: Machine) -> dict[str, Any]:
    name = machine.os_name + (" (containerized)" if machine.in_container else "")
    return {
        "LoggingDriver": settings.default_log_driver,
        "CgroupDriver": "systemd" if settings.systemd_cgroup else "cgroupfs",
        "CgroupVersion": str(machine.cgroups.version),
        "KernelVersion": machine.kernel,
        "OperatingSystem": name,
        "OSVersion": machine.os_version,
        "OSType": "linux",
        "Architecture": machine.architecture,
        "NCPU": machine.cpus,
        "MemTotal": machine.memory,
        "Name": settings.name,
    }


def _daemon(settings: InfoSettings) -> dict[str, Any]:
    commit = {"ID": settings.commit or settings.version}
    found: dict[str, Any] = {
        "IndexServerAddress": INDEX_SERVER,
        "RegistryConfig": registry_config(settings),
        "GenericResources": None,
        "DockerRootDir": settings.data_root,
        "HttpProxy": settings.http_proxy,
        "HttpsProxy": settings.https_proxy,
        "NoProxy": settings.no_proxy,
        "Labels": list(settings.labels),
        "ExperimentalBuild": settings.experimental,
        "ServerVersion": settings.version,
        "Runtimes": {name: dict(runtime) for name, runtime in settings.runtimes.items()},
        "DefaultRuntime": settings.default_runtime,
        # Always on: a daemon that dies or is replaced leaves every container running.
        "LiveRestoreEnabled": True,
        "Isolation": "",
        "InitBinary": settings.init_binary,
        "ContainerdCommit": {"ID": ""},
        "RuncCommit": commit,
        "InitCommit": commit,
        "FirewallBackend": {"Driver": settings.firewall_backend, "Info": [list(pair) for pair in settings.firewall_details] or None},
        "CDISpecDirs": list(settings.cdi_spec_dirs),
        "DefaultAddressPools": [{"Base": base, "Size": size} for base, size in settings.address_pools] or None,
    }
    if found["FirewallBackend"]["Info"] is None:
        del found["FirewallBackend"]["Info"]
    if found["DefaultAddressPools"] is None:
        del found["DefaultAddressPools"]
    return found


def registry_config(settings: InfoSettings) -> dict[str, Any]:
    """Return ``RegistryConfig``: registries of loopback addresses may always be reached without TLS."""
    networks = [*_LOOPBACK, *(name for name in settings.insecure_registries if "/" in name)]
    hub = {"Name": "docker.io", "Mirrors": list(settings.registry_mirrors), "Secure": True, "Official": True}
    others = {
        name: {"Name": name, "Mirrors": [], "Secure": False, "Official": False}
        for name in settings.insecure_registries
        if "/" not in name and name != "docker.io"
    }
    return {
        "InsecureRegistryCIDRs": networks,
        "IndexConfigs": {"docker.io": hub, **others},
        "Mirrors": list(settings.registry_mirrors) or None,
    }


def security_options(settings: InfoSettings, machine: Machine) -> list[str]:
    """Return Docker's names of what confines containers here, in its order."""
    found = []
    if machine.apparmor:
        found.append("name=apparmor")
    if machine.seccomp:
        found.append(f"name=seccomp,profile={settings.seccomp_profile or 'builtin'}")
    if settings.selinux:
        found.append("name=selinux")
    if settings.userns_remap:
        found.append("name=userns")
    if settings.rootless:
        found.append("name=rootless")
    if settings.private_cgroup:
        found.append("name=cgroupns")
    if settings.no_new_privileges:
        found.append("name=no-new-privileges")
    return found


def warnings(machine: Machine, usage: Usage) -> list[str]:
    """Return what is missing on this machine, in Docker's words; what cgroup v2 never has is not worth a warning."""
    cgroups = machine.cgroups
    missing = [
        (cgroups.memory, "No memory limit support"),
        (cgroups.swap, "No swap limit support"),
        (cgroups.oom_kill_disable or cgroups.version == 2, "No oom kill disable support"),
        (cgroups.cpu_cfs, "No cpu cfs quota support"),
        (cgroups.cpu_cfs, "No cpu cfs period support"),
        (cgroups.cpu_shares, "No cpu shares support"),
        (cgroups.cpuset, "No cpuset support"),
        (cgroups.pids, "No pids limit support"),
        (cgroups.blkio_weight or cgroups.version == 1, "No io.weight support"),
        (cgroups.blkio_weight_device or cgroups.version == 1, "No io.weight (per device) support"),
        *((offered, f"No {v2 if cgroups.version == 2 else v1} support") for offered, v1, v2 in _throttles(cgroups)),
        (usage.ipv4_forwarding, "IPv4 forwarding is disabled"),
        (machine.apparmor or not machine.apparmor_in_kernel, "No AppArmor profile for containers: apparmor_parser is not installed"),
    ]
    return [f"WARNING: {words}" for offered, words in missing if not offered]


def _throttles(cgroups: Cgroups) -> Sequence[tuple[bool, str, str]]:
    return (
        (cgroups.blkio_read_bps, "blkio throttle.read_bps_device", "io.max (rbps)"),
        (cgroups.blkio_write_bps, "blkio throttle.write_bps_device", "io.max (wbps)"),
        (cgroups.blkio_read_iops, "blkio throttle.read_iops_device", "io.max (riops)"),
        (cgroups.blkio_write_iops, "blkio throttle.write_iops_device", "io.max (wiops)"),
    )
