"""cgroup v1 counters in the Engine API's names (``GET /containers/{id}/stats``)."""

from argosy.runtime.cgroups import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_CLOCK_NS = 10_000_000  # USER_HZ is 100 on every architecture we run on
_BLOCK_IO = {
    "io_service_bytes_recursive": "blkio.throttle.io_service_bytes_recursive|blkio.throttle.io_service_bytes",
    "io_serviced_recursive": "blkio.throttle.io_serviced_recursive|blkio.throttle.io_serviced",
    "io_queue_recursive": "blkio.io_queued_recursive",
    "io_service_time_recursive": "blkio.io_service_time_recursive",
    "io_wait_time_recursive": "blkio.io_wait_time_recursive",
    "io_merged_recursive": "blkio.io_merged_recursive",
    "io_time_recursive": "blkio.time_recursive",
    "sectors_recursive": "blkio.sectors_recursive",
}


def sample(directory_of: "Callable[[str], str | None]") -> "dict[str, Any]":
    """Return cpu_stats, memory_stats, blkio_stats and pids_stats."""
    return {
        "cpu_stats": _cpu(directory_of("cpuacct"), directory_of("cpu")),
        "memory_stats": _memory(directory_of("memory")),
        "blkio_stats": _block_io(directory_of("blkio")),
        "pids_stats": _pids(directory_of("pids")),
    }


def _cpu(accounting: "str | None", cpu: "str | None") -> "dict[str, Any]":
    usage: dict[str, Any] = {"total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0}
    if accounting:
        usage["total_usage"] = files.number(files.read_or(accounting + "/cpuacct.usage"))
        usage["percpu_usage"] = [int(word) for word in files.read_or(accounting + "/cpuacct.usage_percpu").split()]
        split = files.table(files.read_or(accounting + "/cpuacct.stat"))
        usage["usage_in_kernelmode"] = split.get("system", 0) * _CLOCK_NS
        usage["usage_in_usermode"] = split.get("user", 0) * _CLOCK_NS
    throttling = files.table(files.read_or(cpu + "/cpu.stat")) if cpu else {}
    return {
        "cpu_usage": usage,
        "throttling_data": {
            "periods": throttling.get("nr_periods", 0),
            "throttled_periods": throttling.get("nr_throttled", 0),
            "throttled_time": throttling.get("throttled_time", 0),
        },
    }


def _memory(directory: "str | None") -> "dict[str, Any]":
    if directory is None:
        return {}
    stats: dict[str, Any] = {
        "usage": files.number(files.read_or(directory + "/memory.usage_in_bytes")),
        "max_usage": files.number(files.read_or(directory + "/memory.max_usage_in_bytes")),
        "limit": min(files.number(files.read_or(directory + "/memory.limit_in_bytes")), files.machine_memory()),
        "stats": files.table(files.read_or(directory + "/memory.stat")),
    }
    failures = files.number(files.read_or(directory + "/memory.failcnt"))
    if failures:
        stats["failcnt"] = failures
    return stats


def _block_io(directory: "str | None") -> "dict[str, Any]":
    stats: dict[str, Any] = {}
    for key, names in _BLOCK_IO.items():
        stats[key] = []
        for name in names.split("|") if directory else ():
            text = files.read_or(f"{directory}/{name}")
            if text:
                stats[key] = parse_block_io(text)
                break
    return stats


def parse_block_io(text: str) -> "list[dict[str, Any]]":
    """Return the rows of ``8:0 Read 4096`` (operation absent in some files); the total line is left out."""
    rows = []
    for line in text.splitlines():
        words = line.split()
        major, colon, minor = words[0].partition(":") if words else ("", "", "")
        if not colon or len(words) < 2:
            continue
        operation = words[1] if len(words) > 2 else ""
        rows.append({"major": int(major), "minor": int(minor), "op": operation, "value": int(words[-1])})
    return rows


def _pids(directory: "str | None") -> "dict[str, Any]":
    if directory is None:
        return {}
    stats = {"current": files.number(files.read_or(directory + "/pids.current"))}
    limit = files.read_or(directory + "/pids.max").strip()
    # dockerd leaves an unlimited one out, on v1 only.
    if limit and limit != "max":
        stats["limit"] = int(limit)
    return stats
