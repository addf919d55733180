"""cgroup v2 counters in the Engine API's names; what dockerd leaves out on v2 is left out here too."""

from argosy.runtime.cgroups import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_IO = {"rbytes": "read", "wbytes": "write"}
_EMPTY_BLOCK_IO = (
    "io_serviced_recursive",
    "io_queue_recursive",
    "io_service_time_recursive",
    "io_wait_time_recursive",
    "io_merged_recursive",
    "io_time_recursive",
    "sectors_recursive",
)


def sample(directory: str) -> "dict[str, Any]":
    """Return cpu_stats, memory_stats, blkio_stats and pids_stats."""
    return {
        "cpu_stats": _cpu(files.table(files.read_or(directory + "/cpu.stat"))),
        "memory_stats": _memory(directory),
        "blkio_stats": {
            "io_service_bytes_recursive": parse_io(files.read_or(directory + "/io.stat")),
            **dict.fromkeys(_EMPTY_BLOCK_IO),
        },
        "pids_stats": _pids(directory),
    }


def _cpu(stat: dict[str, int]) -> "dict[str, Any]":
    return {
        "cpu_usage": {
            "total_usage": stat.get("usage_usec", 0) * 1000,
            "usage_in_kernelmode": stat.get("system_usec", 0) * 1000,
            "usage_in_usermode": stat.get("user_usec", 0) * 1000,
        },
        "throttling_data": {
            "periods": stat.get("nr_periods", 0),
            "throttled_periods": stat.get("nr_throttled", 0),
            "throttled_time": stat.get("throttled_usec", 0) * 1000,
        },
    }


def _memory(directory: str) -> "dict[str, Any]":
    current = files.read_or(directory + "/memory.current")
    if not current:
        return {}
    stats: dict[str, Any] = {
        "usage": files.number(current),
        "stats": files.table(files.read_or(directory + "/memory.stat")),
        "limit": min(files.number(files.read_or(directory + "/memory.max")), files.machine_memory()),
    }
    events = files.table(files.read_or(directory + "/memory.events"))
    if events.get("oom"):
        stats["failcnt"] = events["oom"]
    return stats


def _pids(directory: str) -> "dict[str, Any]":
    current = files.read_or(directory + "/pids.current")
    if not current:
        return {}
    return {"current": files.number(current), "limit": files.number(files.read_or(directory + "/pids.max"))}


def parse_io(text: str) -> "list[dict[str, Any]]":
    """Return rows of ``8:0 rbytes=1 wbytes=2 …`` as read and write."""
    rows = []
    for line in text.splitlines():
        device, *words = line.split()
        major, colon, minor = device.partition(":")
        if not colon:
            continue
        for word in words:
            key, _, value = word.partition("=")
            if key in _IO:
                rows.append({"major": int(major), "minor": int(minor), "op": _IO[key], "value": int(value)})
    return rows
