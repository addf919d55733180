"""Memory, CPU, processes, block I/O: ranges, contradictions, and what the kernel cannot do (moby ``daemon/daemon_unix.go``)."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from argosy.base.errors import InvalidParameterError
from argosy.engine.model import Resources
from argosy.engine.platform import Cgroups, Machine

R = TypeVar("R", bound=Resources)

MINIMUM_MEMORY = 6 * 1024 * 1024
_CPU = 1_000_000_000


def check_resources(asked: R, machine: Machine, *, update: bool = False) -> tuple[R, tuple[str, ...]]:
    """Return (the same without what this kernel cannot limit, warnings). Raises InvalidParameterError.

    ``update``: only what is given changes, so a missing memory limit is no mistake.
    """
    _memory(asked, machine, update)
    _cpu(asked, machine)
    _cpusets(asked, machine)
    _block_io(asked, machine.cgroups)
    if asked.io_maximum_bandwidth or asked.io_maximum_iops:
        kind = "bandwidth" if asked.io_maximum_bandwidth else "IOPs"
        raise InvalidParameterError(f"invalid option: QoS maximum {kind} configuration is not supported on linux")
    return supported(asked, machine)


def supported(asked: R, machine: Machine) -> tuple[R, tuple[str, ...]]:
    """Return (the same without what this kernel cannot limit, Docker's warnings about it)."""
    offered, warnings = machine.cgroups, []
    changes: dict[str, object] = {}
    for wanted, offer, words, cleared in _DISCARDED:
        if wanted(asked) and not offer(offered):
            warnings.append(words)
            changes |= cleared
    if asked.cpu_percent > 0:
        warnings.append("linux does not support CPU percent. Percent discarded.")
        changes["cpu_percent"] = 0
    if asked.oom_kill_disable and offered.oom_kill_disable and asked.memory == 0:
        warnings.append(
            "OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources."
        )
    return (msgspec.structs.replace(asked, **changes) if changes else asked), tuple(warnings)


def _memory(asked: Resources, machine: Machine, update: bool) -> None:
    memory, swap, reservation = asked.memory, asked.memory_swap, asked.memory_reservation
    if memory != 0 and memory < MINIMUM_MEMORY:
        raise InvalidParameterError("Minimum memory limit allowed is 6MB")
    if memory > 0 and 0 < swap < memory:
        raise InvalidParameterError("Minimum memoryswap limit should be larger than memory limit, see usage")
    if memory == 0 and swap > 0 and not update:
        raise InvalidParameterError("You should always set the Memory limit when using Memoryswap limit, see usage")
    if swap < -1:
        raise InvalidParameterError(f"Invalid value: {swap}, a memoryswap limit is positive, 0 (as much swap as memory) or -1 (unlimited)")
    if asked.memory_swappiness is not None and not -1 <= asked.memory_swappiness <= 100:
        raise InvalidParameterError(f"Invalid value: {asked.memory_swappiness}, valid memory swappiness range is 0-100")
    if 0 < reservation < MINIMUM_MEMORY:
        raise InvalidParameterError("Minimum memory reservation allowed is 6MB")
    if reservation > 0 and 0 < memory < reservation:
        raise InvalidParameterError("Minimum memory limit can not be less than memory reservation limit, see usage")


def _cpu(asked: Resources, machine: Machine) -> None:
    if asked.nano_cpus > 0 and asked.cpu_period > 0:
        raise InvalidParameterError("Conflicting options: Nano CPUs and CPU Period cannot both be set")
    if asked.nano_cpus > 0 and asked.cpu_quota > 0:
        raise InvalidParameterError("Conflicting options: Nano CPUs and CPU Quota cannot both be set")
    if asked.nano_cpus > 0 and not machine.cgroups.cpu_cfs:
        raise InvalidParameterError(
            "NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted"
        )
    # The kernel takes no quota below 1 ms of 100.
    if not (asked.nano_cpus == 0 or _CPU // 100 <= asked.nano_cpus <= machine.cpus * _CPU):
        raise InvalidParameterError(
            f"range of CPUs is from 0.01 to {machine.cpus}.00, as there are only {machine.cpus} CPUs available",
        )
    if asked.cpu_shares < 0:
        raise InvalidParameterError(f"invalid CPU shares ({asked.cpu_shares}): value must be a positive integer")
    if asked.cpu_period != 0 and not 1000 <= asked.cpu_period <= 1_000_000:
        raise InvalidParameterError("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)")
    if 0 < asked.cpu_quota < 1000:
        raise InvalidParameterError("CPU cfs quota can not be less than 1ms (i.e. 1000)")
    if (asked.cpu_realtime_period or asked.cpu_realtime_runtime) and not machine.cgroups.cpu_realtime:
        raise InvalidParameterError("Your kernel does not support CPU real-time scheduler")
    if 0 < asked.cpu_realtime_period < asked.cpu_realtime_runtime:
        raise InvalidParameterError("cpu real-time runtime cannot be higher than cpu real-time period")


def _cpusets(asked: Resources, machine: Machine) -> None:
    _within(asked.cpuset_cpus, machine.cpuset_cpus, "cpuset cpus", "CPUs")
    _within(asked.cpuset_mems, machine.cpuset_mems, "cpuset mems", "memory nodes")


def _within(text: str, available: str, kind: str, title: str) -> None:
    if not parse_cpuset(text, kind) <= parse_cpuset(available, kind):
        raise InvalidParameterError(f"Requested {title} are not available - requested {text}, available: {available}")


def parse_cpuset(text: str, kind: str = "cpuset cpus") -> frozenset[int]:
    """Return the numbers of ``0-2,7``; empty text: none. Raises InvalidParameterError."""
    numbers: set[int] = set()
    for part in text.split(",") if text else ():
        first, dash, last = part.partition("-")
        low, high = _cpu_number(first, part, text, kind), _cpu_number(last if dash else first, part, text, kind)
        if low > high:
            raise InvalidParameterError(f"Invalid value {text} for {kind}: invalid format: {part}")
        numbers.update(range(low, high + 1))
    return frozenset(numbers)


def _cpu_number(text: str, part: str, whole: str, kind: str) -> int:
    text = text.strip()
    # Far above any machine; what would otherwise make a set of a thousand million numbers.
    if not (text.isascii() and text.isdecimal()) or int(text) > 1 << 16:
        raise InvalidParameterError(f"Invalid value {whole} for {kind}: invalid format: {part}")
    return int(text)


def _block_io(asked: Resources, offered: Cgroups) -> None:
    if offered.blkio_weight and asked.blkio_weight and not 10 <= asked.blkio_weight <= 1000:
        raise InvalidParameterError("Range of blkio weight is from 10 to 1000")
    for device in asked.blkio_weight_device or () if offered.blkio_weight_device else ():
        if device.weight and not 10 <= device.weight <= 1000:
            raise InvalidParameterError("Range of blkio weight is from 10 to 1000")


_Wanted = Callable[[Resources], object]
_Offer = Callable[[Cgroups], bool]

_DISCARDED: tuple[tuple[_Wanted, _Offer, str, dict[str, object]], ...] = (
    (
        lambda r: r.memory > 0,
        lambda c: c.memory,
        "Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.",
        {"memory": 0, "memory_swap": -1},
    ),
    (
        lambda r: r.memory > 0 and r.memory_swap != -1,
        lambda c: c.swap or not c.memory,
        "Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.",
        {"memory_swap": -1},
    ),
    (
        lambda r: r.memory_swappiness not in (None, -1),
        lambda c: c.memory_swappiness,
        "Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.",
        {"memory_swappiness": None},
    ),
    (
        lambda r: r.memory_reservation > 0,
        lambda c: c.memory_reservation,
        "Your kernel does not support memory soft limit capabilities or the cgroup is not mounted. Limitation discarded.",
        {"memory_reservation": 0},
    ),
    (
        lambda r: r.oom_kill_disable,
        lambda c: c.oom_kill_disable,
        "Your kernel does not support OomKillDisable. OomKillDisable discarded.",
        {"oom_kill_disable": None},
    ),
    (
        lambda r: (r.pids_limit or 0) > 0,
        lambda c: c.pids,
        "Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.",
        {"pids_limit": None},
    ),
    (
        lambda r: r.cpu_shares > 0,
        lambda c: c.cpu_shares,
        "Your kernel does not support CPU shares or the cgroup is not mounted. Shares discarded.",
        {"cpu_shares": 0},
    ),
    (
        lambda r: r.cpu_period > 0 or r.cpu_quota > 0,
        lambda c: c.cpu_cfs,
        "Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.",
        {"cpu_period": 0, "cpu_quota": 0},
    ),
    (
        lambda r: r.cpuset_cpus or r.cpuset_mems,
        lambda c: c.cpuset,
        "Your kernel does not support cpuset or the cgroup is not mounted. CPUset discarded.",
        {"cpuset_cpus": "", "cpuset_mems": ""},
    ),
    (
        lambda r: r.blkio_weight,
        lambda c: c.blkio_weight,
        "Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.",
        {"blkio_weight": 0},
    ),
    (
        lambda r: r.blkio_weight_device,
        lambda c: c.blkio_weight_device,
        "Your kernel does not support Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.",
        {"blkio_weight_device": None},
    ),
    (
        lambda r: r.blkio_device_read_bps,
        lambda c: c.blkio_read_bps,
        "Your kernel does not support BPS Block I/O read limit or the cgroup is not mounted. Block I/O BPS read limit discarded.",
        {"blkio_device_read_bps": None},
    ),
    (
        lambda r: r.blkio_device_write_bps,
        lambda c: c.blkio_write_bps,
        "Your kernel does not support BPS Block I/O write limit or the cgroup is not mounted. Block I/O BPS write limit discarded.",
        {"blkio_device_write_bps": None},
    ),
    (
        lambda r: r.blkio_device_read_iops,
        lambda c: c.blkio_read_iops,
        "Your kernel does not support IOPS Block read limit or the cgroup is not mounted. Block I/O IOPS read limit discarded.",
        {"blkio_device_read_iops": None},
    ),
    (
        lambda r: r.blkio_device_write_iops,
        lambda c: c.blkio_write_iops,
        "Your kernel does not support IOPS Block write limit or the cgroup is not mounted. Block I/O IOPS write limit discarded.",
        {"blkio_device_write_iops": None},
    ),
)
"""(what was asked, whether the kernel offers it, Docker's words if not, what is cleared then)."""
