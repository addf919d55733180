"""OCI resources → values of cgroup files, as pure functions. config-linux.md "Control groups"; runc's conversions."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Resources = Mapping[str, Any]

UNLIMITED = -1


class Setting:
    """One value to write. ``needed``: its absence in the kernel is an error, else a warning with ``why``."""

    __slots__ = ("controller", "file", "needed", "value", "why")

    def __init__(self, controller: str, file: str, value: object, why: str = "", needed: bool = False) -> None:
        self.controller = controller
        self.file = file
        self.value = str(value)
        self.why = why
        self.needed = needed

    def __repr__(self) -> str:
        return f"{self.file}={self.value}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Setting) and (self.file, self.value) == (other.file, other.value)

    __hash__ = None  # type: ignore[assignment]


_SWAP = "Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap."
_MEMORY = "Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded."
_SOFT = "Your kernel does not support memory soft limit capabilities or the cgroup is not mounted. Limitation discarded."
_SWAPPINESS = "Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded."
_OOM = "Your kernel does not support OomKillDisable. OomKillDisable discarded."
_PIDS = "Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded."
_SHARES = "Your kernel does not support CPU shares or the cgroup is not mounted. Shares discarded."
_QUOTA = "Your kernel does not support CPU CFS quota or the cgroup is not mounted. CPU quota discarded."
_CPUSET = "Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded."
_WEIGHT = "Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded."
_THROTTLE = "Your kernel does not support IO Block I/O throttling or the cgroup is not mounted. Limit discarded."
_REALTIME = "Your kernel does not support CPU real-time scheduler or the cgroup is not mounted. Real-time limits discarded."


def legacy_settings(resources: "Resources") -> list[Setting]:
    """Return the settings for v1, in an order in which a new group takes them."""
    settings: list[Setting] = []
    settings += _legacy_memory(resources.get("memory") or {})
    settings += _legacy_cpu(resources.get("cpu") or {})
    limit = (resources.get("pids") or {}).get("limit")
    if limit:
        settings.append(Setting("pids", "pids.max", limit if limit > 0 else "max", _PIDS))
    settings += _legacy_block_io(resources.get("blockIO") or {})
    for entry in resources.get("hugepageLimits") or ():
        settings.append(Setting("hugetlb", f"hugetlb.{entry['pageSize']}.limit_in_bytes", entry["limit"]))
    network = resources.get("network") or {}
    if network.get("classID"):
        settings.append(Setting("net_cls", "net_cls.classid", network["classID"]))
    for entry in network.get("priorities") or ():
        settings.append(Setting("net_prio", "net_prio.ifpriomap", f"{entry['name']} {entry['priority']}"))
    settings += _rdma(resources)
    return settings


def _legacy_memory(memory: "Resources") -> list[Setting]:
    limit, swap = memory.get("limit"), memory.get("swap")
    settings = []
    if limit:
        settings.append(Setting("memory", "memory.limit_in_bytes", limit, _MEMORY))
    if swap:
        settings.append(Setting("memory", "memory.memsw.limit_in_bytes", swap, _SWAP))
    if memory.get("reservation"):
        settings.append(Setting("memory", "memory.soft_limit_in_bytes", memory["reservation"], _SOFT))
    if memory.get("kernelTCP"):
        settings.append(Setting("memory", "memory.kmem.tcp.limit_in_bytes", memory["kernelTCP"]))
    if memory.get("swappiness") is not None:
        settings.append(Setting("memory", "memory.swappiness", memory["swappiness"], _SWAPPINESS))
    if memory.get("disableOOMKiller"):
        settings.append(Setting("memory", "memory.oom_control", 1, _OOM))
    return settings


def _legacy_cpu(cpu: "Resources") -> list[Setting]:
    settings = []
    if cpu.get("shares"):
        settings.append(Setting("cpu", "cpu.shares", cpu["shares"], _SHARES))
    # The period first: the default one may be too short for the quota's burst; for a shorter one than the quota
    # allows the kernel refuses, then `apply` tries again after the quota.
    if cpu.get("period"):
        settings.append(Setting("cpu", "cpu.cfs_period_us", cpu["period"], _QUOTA))
    if cpu.get("quota"):
        settings.append(Setting("cpu", "cpu.cfs_quota_us", cpu["quota"], _QUOTA))
    if cpu.get("burst") is not None:
        settings.append(Setting("cpu", "cpu.cfs_burst_us", cpu["burst"]))
    if cpu.get("realtimePeriod"):
        settings.append(Setting("cpu", "cpu.rt_period_us", cpu["realtimePeriod"], _REALTIME))
    if cpu.get("realtimeRuntime"):
        settings.append(Setting("cpu", "cpu.rt_runtime_us", cpu["realtimeRuntime"], _REALTIME))
    if cpu.get("idle") is not None:
        settings.append(Setting("cpu", "cpu.idle", cpu["idle"]))
    return settings + _cpuset(cpu)


def _cpuset(cpu: "Resources") -> list[Setting]:
    settings = []
    if cpu.get("cpus"):
        settings.append(Setting("cpuset", "cpuset.cpus", cpu["cpus"], _CPUSET, needed=True))
    if cpu.get("mems"):
        settings.append(Setting("cpuset", "cpuset.mems", cpu["mems"], _CPUSET, needed=True))
    return settings


_LEGACY_THROTTLES = (
    ("throttleReadBpsDevice", "blkio.throttle.read_bps_device"),
    ("throttleWriteBpsDevice", "blkio.throttle.write_bps_device"),
    ("throttleReadIOPSDevice", "blkio.throttle.read_iops_device"),
    ("throttleWriteIOPSDevice", "blkio.throttle.write_iops_device"),
)


def _legacy_block_io(block: "Resources") -> list[Setting]:
    settings = []
    if block.get("weight"):
        settings.append(Setting("blkio", "blkio.bfq.weight|blkio.weight", block["weight"], _WEIGHT))
    for entry in block.get("weightDevice") or ():
        if entry.get("weight"):
            value = f"{entry['major']}:{entry['minor']} {entry['weight']}"
            settings.append(Setting("blkio", "blkio.bfq.weight_device|blkio.weight_device", value, _WEIGHT))
    for key, file in _LEGACY_THROTTLES:
        for entry in block.get(key) or ():
            settings.append(Setting("blkio", file, f"{entry['major']}:{entry['minor']} {entry['rate']}", _THROTTLE))
    return settings


def _rdma(resources: "Resources") -> list[Setting]:
    settings = []
    for device, limits in (resources.get("rdma") or {}).items():
        words = [device]
        if limits.get("hcaHandles") is not None:
            words.append(f"hca_handle={limits['hcaHandles']}")
        if limits.get("hcaObjects") is not None:
            words.append(f"hca_object={limits['hcaObjects']}")
        settings.append(Setting("rdma", "rdma.max", " ".join(words)))
    return settings


def unified_settings(resources: "Resources") -> list[Setting]:
    """Return the settings for v2. Raises ValueError on a combination that cannot be."""
    settings: list[Setting] = []
    settings += _unified_memory(resources.get("memory") or {})
    settings += _unified_cpu(resources.get("cpu") or {})
    limit = (resources.get("pids") or {}).get("limit")
    if limit:
        settings.append(Setting("pids", "pids.max", _max(limit), _PIDS))
    settings += _unified_block_io(resources.get("blockIO") or {})
    for entry in resources.get("hugepageLimits") or ():
        settings.append(Setting("hugetlb", f"hugetlb.{entry['pageSize']}.max", entry["limit"]))
    settings += _rdma(resources)
    for file, value in (resources.get("unified") or {}).items():
        if "/" in file or "." not in file:
            raise ValueError(f'unified resource "{file}" must be a file name without any slashes')
        settings.append(Setting(file.partition(".")[0], file, value, needed=True))
    return settings


def _max(value: int) -> "int | str":
    return value if value >= 0 else "max"


def _unified_memory(memory: "Resources") -> list[Setting]:
    settings = []
    swap = swap_to_unified(memory.get("limit") or 0, memory.get("swap") or 0)
    if swap is not None:
        settings.append(Setting("memory", "memory.swap.max", swap, _SWAP))
    if memory.get("limit"):
        settings.append(Setting("memory", "memory.max", _max(memory["limit"]), _MEMORY))
    if memory.get("reservation"):
        settings.append(Setting("memory", "memory.low", _max(memory["reservation"]), _SOFT))
    return settings


def swap_to_unified(limit: int, swap: int) -> "int | str | None":
    """Return ``memory.swap.max`` for v1's sum of memory and swap; None: leave it alone."""
    if limit == UNLIMITED and swap == 0:
        return "max"
    if swap in (0, UNLIMITED):
        return "max" if swap == UNLIMITED else None
    if limit in (0, UNLIMITED):
        raise ValueError("unable to set swap limit without memory limit")
    if limit < 0 or swap < limit:
        raise ValueError("memory+swap limit should be >= memory limit")
    return swap - limit


def shares_to_weight(shares: int) -> int:
    """Return ``cpu.weight`` (1 to 10000) for shares (2 to 262144)."""
    return 1 + (min(max(shares, 2), 262144) - 2) * 9999 // 262142 if shares else 0


def block_weight_to_io(weight: int) -> int:
    """Return ``io.weight`` (1 to 10000) for blkio weight (10 to 1000)."""
    return 1 + (weight - 10) * 9999 // 990 if weight else 0


def _unified_cpu(cpu: "Resources") -> list[Setting]:
    settings = []
    if cpu.get("idle") is not None:
        settings.append(Setting("cpu", "cpu.idle", cpu["idle"]))
    if cpu.get("shares") and not cpu.get("idle"):
        settings.append(Setting("cpu", "cpu.weight", shares_to_weight(cpu["shares"]), _SHARES))
    quota, period = cpu.get("quota") or 0, cpu.get("period") or 0
    if quota or period:
        value = f"{quota if quota > 0 else 'max'}"
        settings.append(Setting("cpu", "cpu.max", f"{value} {period}" if period else value, _QUOTA))
    if cpu.get("burst") is not None:
        settings.append(Setting("cpu", "cpu.max.burst", cpu["burst"]))
    return settings + _cpuset(cpu)


_UNIFIED_THROTTLES = (
    ("throttleReadBpsDevice", "rbps"),
    ("throttleWriteBpsDevice", "wbps"),
    ("throttleReadIOPSDevice", "riops"),
    ("throttleWriteIOPSDevice", "wiops"),
)


def _unified_block_io(block: "Resources") -> list[Setting]:
    settings = []
    if block.get("weight"):
        settings.append(Setting("io", "io.bfq.weight|io.weight", block["weight"], _WEIGHT))
    for entry in block.get("weightDevice") or ():
        if entry.get("weight"):
            value = f"{entry['major']}:{entry['minor']} {entry['weight']}"
            settings.append(Setting("io", "io.bfq.weight|io.weight", value, _WEIGHT))
    for key, word in _UNIFIED_THROTTLES:
        for entry in block.get(key) or ():
            settings.append(Setting("io", "io.max", f"{entry['major']}:{entry['minor']} {word}={entry['rate'] or 'max'}", _THROTTLE))
    return settings
