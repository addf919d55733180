"""``HostConfig`` limits as OCI ``linux.resources`` (runtime-spec config-linux.md, moby ``daemon_unix.go: toContainerdResources``)."""

from collections.abc import Callable, Iterable
from typing import Any

from argosy.engine.model import Resources, ThrottleDevice

DeviceNumber = Callable[[str], tuple[int, int]]
"""Path of a device node → (major, minor)."""


def resources(limits: Resources, device_number: DeviceNumber) -> dict[str, Any]:
    """Return only what is limited; the device list is added by `spec.devices`."""
    found: dict[str, Any] = {}
    if cpu := _cpu(limits):
        found["cpu"] = cpu
    if memory := _memory(limits):
        found["memory"] = memory
    if limits.pids_limit:
        found["pids"] = {"limit": limits.pids_limit if limits.pids_limit > 0 else -1}
    if block := _block_io(limits, device_number):
        found["blockIO"] = block
    return found


def _cpu(limits: Resources) -> dict[str, Any]:
    cpu: dict[str, Any] = {}
    if limits.cpu_shares:
        cpu["shares"] = limits.cpu_shares
    if limits.nano_cpus:
        # CFS works with a period; 100 ms is the kernel's and Docker's default.
        cpu["period"] = 100_000
        cpu["quota"] = limits.nano_cpus * 100_000 // 1_000_000_000
    if limits.cpu_period:
        cpu["period"] = limits.cpu_period
    if limits.cpu_quota:
        cpu["quota"] = limits.cpu_quota
    if limits.cpu_realtime_period:
        cpu["realtimePeriod"] = limits.cpu_realtime_period
    if limits.cpu_realtime_runtime:
        cpu["realtimeRuntime"] = limits.cpu_realtime_runtime
    if limits.cpuset_cpus:
        cpu["cpus"] = limits.cpuset_cpus
    if limits.cpuset_mems:
        cpu["mems"] = limits.cpuset_mems
    return cpu


def _memory(limits: Resources) -> dict[str, Any]:
    memory: dict[str, Any] = {}
    if limits.memory > 0:
        memory["limit"] = limits.memory
    if limits.memory_reservation > 0:
        memory["reservation"] = limits.memory_reservation
    if limits.memory_swap:
        memory["swap"] = limits.memory_swap
    elif limits.memory > 0:
        # Docker's default: as much swap again as memory.
        memory["swap"] = limits.memory * 2
    if limits.memory_swappiness is not None and limits.memory_swappiness >= 0:
        memory["swappiness"] = limits.memory_swappiness
    if limits.oom_kill_disable:
        memory["disableOOMKiller"] = True
    return memory


def _block_io(limits: Resources, device_number: DeviceNumber) -> dict[str, Any]:
    block: dict[str, Any] = {}
    if limits.blkio_weight:
        block["weight"] = limits.blkio_weight
    if limits.blkio_weight_device:
        block["weightDevice"] = [{**_numbers(device.path, device_number), "weight": device.weight} for device in limits.blkio_weight_device]
    throttles: tuple[tuple[str, Iterable[ThrottleDevice] | None], ...] = (
        ("throttleReadBpsDevice", limits.blkio_device_read_bps),
        ("throttleWriteBpsDevice", limits.blkio_device_write_bps),
        ("throttleReadIOPSDevice", limits.blkio_device_read_iops),
        ("throttleWriteIOPSDevice", limits.blkio_device_write_iops),
    )
    for key, devices in throttles:
        if devices:
            block[key] = [{**_numbers(device.path, device_number), "rate": device.rate} for device in devices]
    return block


def _numbers(path: str, device_number: DeviceNumber) -> dict[str, int]:
    major, minor = device_number(path)
    return {"major": major, "minor": minor}
