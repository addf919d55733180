"""The figures of ``stats``, computed from the API's samples as docker's client does (container/stats_helpers.go)."""

from __future__ import annotations

from argosy.cli.output import human
from argosy.cli.output.listing import Column, Listing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_TABLE = ("ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs")


def row(sample: Mapping[str, Any], container: str) -> dict[str, Any]:
    """Return the figures of one sample."""
    memory = sample.get("memory_stats") or {}
    used = memory_without_cache(memory)
    limit = int(memory.get("limit") or 0)
    received, sent = _network(sample.get("networks") or {})
    read, written = _block(sample.get("blkio_stats") or {})
    return {
        "container": container,
        "id": str(sample.get("id") or container),
        "name": str(sample.get("name") or "").removeprefix("/"),
        "cpu": cpu_percent(sample),
        "memory": used,
        "limit": limit,
        "share": used / limit * 100 if limit else 0.0,
        "received": received,
        "sent": sent,
        "read": read,
        "written": written,
        "pids": int((sample.get("pids_stats") or {}).get("current") or 0),
    }


def empty(container: str) -> dict[str, Any]:
    """Return the row of a container that has told nothing yet."""
    zero: dict[str, Any] = dict.fromkeys(("cpu", "memory", "limit", "share", "received", "sent", "read", "written", "pids"), 0)
    return {**zero, "container": container, "id": container, "name": "--"}


def cpu_percent(sample: Mapping[str, Any]) -> float:
    """Return the share of one processor since the previous sample, in percent: two busy ones are 200."""
    now, before = sample.get("cpu_stats") or {}, sample.get("precpu_stats") or {}
    used = ((now.get("cpu_usage") or {}).get("total_usage") or 0) - ((before.get("cpu_usage") or {}).get("total_usage") or 0)
    system = (now.get("system_cpu_usage") or 0) - (before.get("system_cpu_usage") or 0)
    processors = now.get("online_cpus") or len((now.get("cpu_usage") or {}).get("percpu_usage") or ()) or 1
    return used / system * processors * 100 if used > 0 and system > 0 else 0.0


def memory_without_cache(memory: Mapping[str, Any]) -> int:
    """Return what is used and cannot simply be dropped: v1 says ``total_inactive_file``, v2 ``inactive_file``."""
    usage, figures = int(memory.get("usage") or 0), memory.get("stats") or {}
    for key in ("total_inactive_file", "inactive_file"):
        cache = int(figures.get(key) or 0)
        if key in figures and cache < usage:
            return usage - cache
    return usage


def _network(interfaces: Mapping[str, Any]) -> tuple[int, int]:
    return (
        sum(int(one.get("rx_bytes") or 0) for one in interfaces.values()),
        sum(int(one.get("tx_bytes") or 0) for one in interfaces.values()),
    )


def _block(figures: Mapping[str, Any]) -> tuple[int, int]:
    entries = figures.get("io_service_bytes_recursive") or []
    read = sum(int(one.get("value") or 0) for one in entries if str(one.get("op", "")).lower().startswith("r"))
    written = sum(int(one.get("value") or 0) for one in entries if str(one.get("op", "")).lower().startswith("w"))
    return read, written


def listing(trunc: bool = True) -> Listing:
    columns = {
        "Container": Column("CONTAINER", lambda one: one["container"]),
        "ID": Column("CONTAINER ID", lambda one: one["id"][:12] if trunc else one["id"]),
        "Name": Column("NAME", lambda one: one["name"]),
        "CPUPerc": Column("CPU %", lambda one: f"{one['cpu']:.2f}%"),
        "MemUsage": Column("MEM USAGE / LIMIT", lambda one: f"{human.bytes_size(one['memory'])} / {human.bytes_size(one['limit'])}"),
        "MemPerc": Column("MEM %", lambda one: f"{one['share']:.2f}%"),
        "NetIO": Column("NET I/O", lambda one: f"{human.size(one['received'], 3)} / {human.size(one['sent'], 3)}"),
        "BlockIO": Column("BLOCK I/O", lambda one: f"{human.size(one['read'], 3)} / {human.size(one['written'], 3)}"),
        "PIDs": Column("PIDS", lambda one: str(one["pids"])),
    }
    return Listing("*container.statsContext", columns, _TABLE, cuttable=("NAME",))
