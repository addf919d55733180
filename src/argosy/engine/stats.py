"""``GET /containers/{id}/stats``: counters of one container, each second or once, shaped as Docker 28 does.

cgroup counters come from the runtime's ``sample``, network counters from /proc/PID/net/dev of the container's init (proc(5)),
the machine's CPU time from /proc/stat.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from argosy.base.clock import ZERO_TIME, rfc3339_nano

_TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
_MEMORY = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
_INTERVAL = 1.0
_RX = ("rx_bytes", "rx_packets", "rx_errors", "rx_dropped")
_TX = ("tx_bytes", "tx_packets", "tx_errors", "tx_dropped")
_BLKIO = (
    "io_service_bytes_recursive",
    "io_serviced_recursive",
    "io_queue_recursive",
    "io_service_time_recursive",
    "io_wait_time_recursive",
    "io_merged_recursive",
    "io_time_recursive",
    "sectors_recursive",
)
_NO_CPU: Mapping[str, Any] = {
    "cpu_usage": {"total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0},
    "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
}


@dataclass(frozen=True, slots=True)
class Reading:
    """One moment's counters."""

    time: int
    cpu: Mapping[str, Any]
    """``cpu_stats`` complete, with the machine's ``system_cpu_usage`` and ``online_cpus``."""
    memory: Mapping[str, Any]
    blkio: Mapping[str, Any]
    pids: Mapping[str, Any]
    networks: Mapping[str, Mapping[str, int]] | None


def take(
    sample: Mapping[str, Any],
    networks: Mapping[str, Mapping[str, int]] | None,
    now_ns: int,
    machine: tuple[int, int] | None = None,
    memory_total: int = _MEMORY,
) -> Reading:
    """Put one reading together; ``machine`` is what `machine_cpu` returned (None: asked now), ``networks`` None with the network
    disabled. A container without a memory limit is limited by the machine."""
    system, online = machine or machine_cpu()
    memory = {key: value for key, value in sample.get("memory_stats", {}).items() if value or key not in ("failcnt", "max_usage")}
    if memory and not 0 < memory.get("limit", 0) <= memory_total:
        memory["limit"] = memory_total
    return Reading(
        time=now_ns,
        cpu={**_NO_CPU, **sample.get("cpu_stats", {}), "system_cpu_usage": system, "online_cpus": online},
        memory=memory,
        blkio=sample.get("blkio_stats", {}),
        pids={key: value for key, value in sample.get("pids_stats", {}).items() if value},
        networks=networks,
    )


def shape(container_id: str, name: str, current: Reading | None, previous: Reading | None) -> dict[str, Any]:
    """Return the API's object. Without ``current`` (the container does not run) all is zero or empty and ``read`` is Go's zero time."""
    message: dict[str, Any] = {
        "name": f"/{name}",
        "id": container_id,
        "read": rfc3339_nano(current.time) if current else ZERO_TIME,
        "preread": rfc3339_nano(previous.time) if previous else ZERO_TIME,
        "pids_stats": current.pids if current else {},
        "blkio_stats": dict.fromkeys(_BLKIO) | dict(current.blkio if current else {}),
        "num_procs": 0,
        "storage_stats": {},
        "cpu_stats": current.cpu if current else _NO_CPU,
        "precpu_stats": previous.cpu if previous else _NO_CPU,
        "memory_stats": current.memory if current else {},
    }
    if current and current.networks:
        message["networks"] = current.networks
    return message


async def stats(
    *,
    container_id: str,
    name: Callable[[], str],
    read: Callable[[], Reading | None],
    present: Callable[[], bool],
    stream: bool,
    one_shot: bool,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Mapping[str, Any]]:
    """Yield readings: one a second while the container exists, or a single one.

    ``read`` returns None while the container does not run. A single reading waits a second for the previous counters to compare
    with, unless it is ``one_shot`` or nothing runs; a stream begins at once, without previous counters, as Docker's.
    """
    previous: Reading | None = None
    current = read()
    if not stream:
        if not one_shot and current is not None:
            previous = current
            await pause(_INTERVAL)
            current = read()
            previous = previous if current is not None else None
        yield shape(container_id, name(), current, previous)
        return
    while present():
        yield shape(container_id, name(), current, previous if current is not None else None)
        previous = current
        await pause(_INTERVAL)
        current = read()


def network_counters(pid: int) -> dict[str, dict[str, int]]:
    """Return the counters of each interface but the loopback, as seen by that process; empty when it has gone."""
    try:
        with open(f"/proc/{pid}/net/dev", encoding="ascii", errors="replace") as table:
            return parse_net_dev(table.read())
    except OSError:
        return {}


def parse_net_dev(text: str) -> dict[str, dict[str, int]]:
    """Return interface → counters in Docker's names (the table of proc(5): receive columns 1 to 8, transmit 9 to 16)."""
    found = {}
    for line in text.splitlines()[2:]:
        name, _, numbers = line.partition(":")
        values = [int(number) for number in numbers.split()]
        if name.strip() != "lo" and len(values) >= 12:
            found[name.strip()] = dict(zip(_RX, values[:4])) | dict(zip(_TX, values[8:12]))
    return found


def machine_cpu() -> tuple[int, int]:
    """Return (ns of CPU time of the whole machine since boot, number of CPUs online)."""
    with open("/proc/stat", encoding="ascii") as table:
        return parse_proc_stat(table.read())


def parse_proc_stat(text: str) -> tuple[int, int]:
    """Sum the first seven columns (user … softirq) as Docker does: steal and guest time are not added."""
    lines = text.splitlines()
    total = sum(int(number) for number in lines[0].split()[1:8])
    online = sum(1 for line in lines if line.startswith("cpu") and line[3:4].isdecimal())
    return total * _TICK, online
