"""``state``, ``list``, ``ps``, ``events``, ``features``, ``spec``."""

import os
import sys
import time

from argosy.linux.capabilities import NAMES
from argosy.linux.process import NAMESPACES
from argosy.runtime.compile.options import known_words
from argosy.runtime.oci import example
from argosy.runtime.oci.errors import RuntimeFailed
from argosy.runtime.oci.plainjson import dumps
from argosy.runtime.oci.state import Container, load, load_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from argosy.runtime.oci.arguments import Arguments


def _print(value: object, indent: "int | None" = 2) -> None:
    sys.stdout.write(dumps(value, indent) + "\n")


def state(arguments: "Arguments", root: str) -> int:
    _print(load(root, arguments.container()).oci_state())
    return 0


def list_(arguments: "Arguments", root: str) -> int:
    states = [container.oci_state() for container in load_all(root)]
    if arguments.given("quiet"):
        sys.stdout.write("".join(entry["id"] + "\n" for entry in states))
    elif arguments.text("format", "table") == "json":
        _print(states, None)
    elif arguments.text("format", "table") == "table":
        rows = [("ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER")]
        rows += [(entry["id"], str(entry["pid"]), entry["status"], entry["bundle"], entry["created"], "root") for entry in states]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            sys.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() + "\n")
    else:
        raise RuntimeFailed("invalid format option")
    return 0


def ps(arguments: "Arguments", root: str) -> int:
    pids = load(root, arguments.container()).group().processes()
    form = arguments.text("format", "table")
    if form == "json":
        _print(pids, None)
        return 0
    if form != "table":
        raise RuntimeFailed("invalid format option")
    sys.stdout.flush()
    return os.execvp("ps", ["ps", "-f", "-p", ",".join(map(str, pids)) or "0", *arguments.words[1:]])


def events(arguments: "Arguments", root: str) -> int:
    """One sample with --stats, else one every --interval until the container stopped."""
    container = load(root, arguments.container())
    if container.status() == "stopped":
        raise RuntimeFailed("container with id " + container.id + " is not running")
    interval = float(arguments.text("interval", "5s").removesuffix("s") or 5)
    kills = container.group().oom_kills()
    while True:
        _print({"type": "stats", "id": container.id, "data": stats(container)}, None)
        sys.stdout.flush()
        if arguments.given("stats"):
            return 0
        time.sleep(interval)
        if container.status() == "stopped":
            return 0
        if (now := container.group().oom_kills()) > kills:
            kills = now
            _print({"type": "oom", "id": container.id}, None)


def stats(container: Container) -> "dict[str, Any]":
    """Return the counters in the shape of runc's events."""
    sample = container.group().sample()
    cpu, memory, pids = sample["cpu_stats"], sample["memory_stats"], sample["pids_stats"]
    usage, throttling = cpu["cpu_usage"], cpu["throttling_data"]
    return {
        "cpu": {
            "usage": {
                "total": usage["total_usage"],
                "percpu": usage.get("percpu_usage", []),
                "kernel": usage["usage_in_kernelmode"],
                "user": usage["usage_in_usermode"],
            },
            "throttling": {
                "periods": throttling["periods"],
                "throttledPeriods": throttling["throttled_periods"],
                "throttledTime": throttling["throttled_time"],
            },
        },
        "memory": {
            "cache": memory.get("stats", {}).get("cache", memory.get("stats", {}).get("file", 0)),
            "usage": {
                "limit": memory.get("limit", 0),
                "usage": memory.get("usage", 0),
                "max": memory.get("max_usage", 0),
                "failcnt": memory.get("failcnt", 0),
            },
            "raw": memory.get("stats", {}),
        },
        "pids": {"current": pids.get("current", 0), "limit": pids.get("limit", 0)},
        "blkio": {key: rows or [] for key, rows in _block_names(sample["blkio_stats"]).items()},
    }


def _block_names(rows: "dict[str, Any]") -> "dict[str, Any]":
    """``io_service_bytes_recursive`` → ``ioServiceBytesRecursive``."""
    named = {}
    for key, value in rows.items():
        first, *rest = key.split("_")
        named[first + "".join(word.capitalize() for word in rest)] = value
    return named


def features(arguments: "Arguments", root: str) -> int:
    """features.md of the runtime specification."""
    _print(
        {
            "ociVersionMin": "1.0.0",
            "ociVersionMax": "1.2.1",
            "hooks": ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"],
            "mountOptions": known_words(),
            "linux": {
                "namespaces": sorted(NAMESPACES),
                "capabilities": list(NAMES),
                "cgroup": {"v1": True, "v2": True, "systemd": True, "systemdUser": False, "rdma": True},
                "seccomp": {
                    "enabled": True,
                    "actions": ["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS"]
                    + ["SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP"],
                    "operators": [f"SCMP_CMP_{word}" for word in ("EQ", "GE", "GT", "LE", "LT", "MASKED_EQ", "NE")],
                    "archs": [f"SCMP_ARCH_{word}" for word in ("AARCH64", "ARM", "RISCV64", "X32", "X86", "X86_64")],
                },
                "apparmor": {"enabled": True},
                "selinux": {"enabled": True},
                "intelRdt": {"enabled": False},
                "mountExtensions": {"idmap": {"enabled": True}},
            },
            "annotations": {},
        }
    )
    return 0


def spec(arguments: "Arguments", root: str) -> int:
    """Write an example config.json into the bundle."""
    path = os.path.join(arguments.text("bundle", "."), "config.json")
    try:
        with open(path, "x") as file:
            file.write(dumps(example.SPEC, 4) + "\n")
    except FileExistsError:
        raise RuntimeFailed(f"File {path} exists. Remove it first") from None
    except OSError as error:
        raise RuntimeFailed(f"writing {path}: {error.strerror}") from None
    return 0
