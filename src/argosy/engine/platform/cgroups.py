"""Which cgroup limits this kernel can enforce, from where its hierarchies are mounted (cgroups(7)).

v1 and hybrid: a limit exists if its file does, in the hierarchy's root or, where the root has none, in any child. v2: from
``cgroup.controllers`` of the root; the rest is decided by kernel facts (moby ``pkg/sysinfo/cgroup2_linux.go``).
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from argosy.engine.platform.machine import Cgroups


def detect(root: Path) -> Cgroups:
    """Return what can be limited."""
    v1, v2 = hierarchies(_read(root / "proc/self/mounts"))
    if v1:
        return _legacy({name: root / path.lstrip("/") for name, path in v1.items()})
    if v2:
        return _unified(root / v2.lstrip("/"))
    return _none()


def hierarchies(mounts: str) -> tuple[Mapping[str, str], str]:
    """Return (controller → where its v1 hierarchy is mounted, where v2 is mounted or empty) from the text of /proc/self/mounts.

    Named v1 hierarchies (``name=systemd``) limit nothing and are left out, so a host with only such a one is a v2 host.
    """
    v1: dict[str, str] = {}
    v2 = ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 4:
            continue
        where = fields[1].replace("\\040", " ")
        if fields[2] == "cgroup2":
            v2 = v2 or where
        elif fields[2] == "cgroup":
            for option in fields[3].split(","):
                if option in _CONTROLLERS:
                    v1.setdefault(option, where)
    return v1, v2


_CONTROLLERS = frozenset(
    {"cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "hugetlb", "net_cls", "net_prio", "perf_event", "rdma"}
)


def _legacy(mounted: Mapping[str, Path]) -> Cgroups:
    def has(controller: str, *files: str) -> bool:
        return controller in mounted and any(_has_file(mounted[controller], name) for name in files)

    return Cgroups(
        version=1,
        memory="memory" in mounted,
        swap=has("memory", "memory.memsw.limit_in_bytes"),
        memory_reservation=has("memory", "memory.soft_limit_in_bytes"),
        memory_swappiness=has("memory", "memory.swappiness"),
        oom_kill_disable=has("memory", "memory.oom_control"),
        kernel_memory_tcp=has("memory", "memory.kmem.tcp.limit_in_bytes"),
        pids="pids" in mounted,
        cpu_shares=has("cpu", "cpu.shares"),
        cpu_cfs=has("cpu", "cpu.cfs_quota_us"),
        cpu_realtime=has("cpu", "cpu.rt_runtime_us"),
        cpuset="cpuset" in mounted,
        blkio_weight=has("blkio", "blkio.weight"),
        blkio_weight_device=has("blkio", "blkio.weight_device"),
        blkio_read_bps=has("blkio", "blkio.throttle.read_bps_device"),
        blkio_write_bps=has("blkio", "blkio.throttle.write_bps_device"),
        blkio_read_iops=has("blkio", "blkio.throttle.read_iops_device"),
        blkio_write_iops=has("blkio", "blkio.throttle.write_iops_device"),
        devices="devices" in mounted,
        freezer="freezer" in mounted,
    )


def _unified(mounted: Path) -> Cgroups:
    controllers = frozenset(_read(mounted / "cgroup.controllers").split())
    memory, cpu, io = "memory" in controllers, "cpu" in controllers, "io" in controllers
    weight = io and _any_child_has(mounted, ("io.weight", "io.bfq.weight"))
    return Cgroups(
        version=2,
        memory=memory,
        swap=memory and _swap_is_counted(mounted),
        memory_reservation=memory,
        memory_swappiness=False,
        oom_kill_disable=False,
        kernel_memory_tcp=False,
        pids="pids" in controllers,
        cpu_shares=cpu,
        cpu_cfs=cpu,
        cpu_realtime=False,
        cpuset="cpuset" in controllers,
        blkio_weight=weight,
        blkio_weight_device=weight,
        blkio_read_bps=io,
        blkio_write_bps=io,
        blkio_read_iops=io,
        blkio_write_iops=io,
        devices=True,
        freezer=True,
    )


def _none() -> Cgroups:
    off = dict.fromkeys((name for name in Cgroups.__dataclass_fields__ if name != "version"), False)
    return Cgroups(version=2, **off)


def _swap_is_counted(mounted: Path) -> bool:
    """A child group has memory.swap.max unless swap accounting is off; without any child to look at, it is on by default (5.8+)."""
    return _any_child_has(mounted, ("memory.swap.max",), otherwise=True)


def _any_child_has(mounted: Path, files: Iterable[str], *, otherwise: bool = False) -> bool:
    wanted = tuple(files)
    looked = False
    for child in _children(mounted):
        looked = True
        if any((child / name).exists() for name in wanted):
            return True
    return otherwise and not looked


def _has_file(directory: Path, name: str) -> bool:
    return (directory / name).exists() or any((child / name).exists() for child in _children(directory))


def _children(directory: Path) -> list[Path]:
    try:
        with os.scandir(directory) as entries:
            return [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)][:16]
    except OSError:
        return []


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
