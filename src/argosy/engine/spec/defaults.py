"""Docker's defaults for Linux containers (moby ``daemon/pkg/oci/defaults.go``, facts taken from a running engine)."""

from typing import Any

from argosy.oci.runtime_spec import Mount

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SHM_SIZE = 67108864

MASKED_PATHS = (
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
)

READONLY_PATHS = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")

SYSCTLS = {"net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647"}
"""Inside a network namespace of its own: low ports and ping need no capability (moby#41030)."""


def _rule(allow: bool, kind: str, major: int | None, minor: int | None, access: str) -> dict[str, Any]:
    rule: dict[str, Any] = {"allow": allow, "access": access}
    if kind != "a":
        rule["type"] = kind
    if major is not None:
        rule["major"] = major
    if minor is not None:
        rule["minor"] = minor
    return rule


DEVICE_RULES: tuple[dict[str, Any], ...] = (
    _rule(False, "a", None, None, "rwm"),
    _rule(True, "c", None, None, "m"),
    _rule(True, "b", None, None, "m"),
    _rule(True, "c", 1, 3, "rwm"),  # null
    _rule(True, "c", 1, 5, "rwm"),  # zero
    _rule(True, "c", 1, 7, "rwm"),  # full
    _rule(True, "c", 1, 8, "rwm"),  # random
    _rule(True, "c", 1, 9, "rwm"),  # urandom
    _rule(True, "c", 5, 0, "rwm"),  # tty
    _rule(True, "c", 5, 1, "rwm"),  # console
    _rule(True, "c", 5, 2, "rwm"),  # ptmx
    _rule(True, "c", 136, None, "rwm"),  # pts
)

ALL_DEVICES: dict[str, Any] = _rule(True, "a", None, None, "rwm")


def base_mounts(*, privileged: bool) -> list[Mount]:
    """Return the mounts that every container has before those that the user asked for."""
    sysfs_mode = "rw" if privileged else "ro"
    mounts: list[Mount] = [
        {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
        {
            "destination": "/dev",
            "type": "tmpfs",
            "source": "tmpfs",
            "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
        },
        {
            "destination": "/dev/pts",
            "type": "devpts",
            "source": "devpts",
            "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        },
        {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"]},
        {
            "destination": "/sys/fs/cgroup",
            "type": "cgroup",
            "source": "cgroup",
            "options": [sysfs_mode, "nosuid", "noexec", "nodev"],
        },
    ]
    mounts.insert(3, {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": [sysfs_mode, "nosuid", "noexec", "nodev"]})
    return mounts
