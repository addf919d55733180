"""The kernel, namespaces, capabilities, control groups."""

from __future__ import annotations

import re

from argosy.cli.doctor.finding import MISSING, NOTE, OK, Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from argosy.cli.doctor.machine import Machine

_NAMESPACES = {"mnt": MISSING, "uts": MISSING, "ipc": MISSING, "pid": MISSING, "net": MISSING, "cgroup": NOTE, "user": NOTE, "time": NOTE}
_CAPABILITIES = {
    "SYS_ADMIN": (21, MISSING),
    "NET_ADMIN": (12, MISSING),
    "SYS_RESOURCE": (24, NOTE),
    "SYS_PTRACE": (19, NOTE),
    "MKNOD": (27, NOTE),
}
_WITHOUT = {
    "SYS_ADMIN": "no container can be started",
    "NET_ADMIN": "containers have no network of their own",
    "SYS_RESOURCE": "limits above our own (ulimits, negative oom scores) cannot be given and are clamped with a warning",
    "SYS_PTRACE": "exec and cp into containers of other users fail",
    "MKNOD": "devices in images and --device need it",
}
_CONTROLLERS = {
    "cpu": ("cpu", MISSING, "--cpus and --cpu-shares are refused"),
    "cpuset": ("cpuset", NOTE, "--cpuset-cpus is refused"),
    "memory": ("memory", MISSING, "-m is refused and one container can take all memory"),
    "pids": ("pids", MISSING, "--pids-limit is refused and a fork bomb reaches the host"),
    "blkio": ("io", NOTE, "--blkio-weight and --device-read-bps are refused"),
    "freezer": ("", NOTE, "pause does not work"),
    "devices": ("", NOTE, "containers are not kept from devices"),
    "hugetlb": ("hugetlb", NOTE, "huge pages are not limited"),
}


def probe(machine: Machine) -> Iterator[Finding]:
    yield _version(machine)
    yield _root(machine)
    yield from _namespaces(machine)
    yield from _capabilities(machine)
    yield from _cgroups(machine)
    yield _platforms(machine)


def _platforms(machine: Machine) -> Finding:
    """Programs of other processors, which builds for other platforms run."""
    place = "/proc/sys/fs/binfmt_misc"
    names = [name for name in machine.names(place) if name not in ("register", "status")]
    there = [name for name in names if (text := machine.read(f"{place}/{name}")).startswith("enabled") and "magic 7f454c46" in text]
    if there:
        return Finding("kernel", "other platforms", OK, ", ".join(sorted(there)))
    return Finding(
        "kernel",
        "other platforms",
        NOTE,
        "no binfmt_misc handler for programs of other processors",
        "RUN in builds for another platform fails",
        "apt-get install qemu-user-static binfmt-support",
    )


def _version(machine: Machine) -> Finding:
    release = machine.release()
    numbers = tuple(int(number) for number in re.findall(r"\d+", release)[:2])
    if numbers < (5, 10):
        return Finding(
            "kernel", "version", MISSING, release, "openat2, clone3 and the mount API are missing", "Update the kernel to 5.10 or newer"
        )
    if numbers < (6, 7):
        return Finding("kernel", "version", OK, f"{release} (6.7 and newer stack any number of layers in one step)")
    return Finding("kernel", "version", OK, release)


def _root(machine: Machine) -> Finding:
    if machine.is_root():
        return Finding("kernel", "root", OK, "the doctor runs as root and could try everything")
    return Finding("kernel", "root", NOTE, "not root", "some things could only be guessed", "sudo argosy doctor")


def _namespaces(machine: Machine) -> Iterator[Finding]:
    there = set(machine.names("/proc/self/ns"))
    gone = [name for name in _NAMESPACES if name not in there]
    needed = [name for name in gone if _NAMESPACES[name] == MISSING]
    if not gone:
        yield Finding("kernel", "namespaces", OK, " ".join(_NAMESPACES))
    else:
        state = MISSING if needed else NOTE
        yield Finding(
            "kernel", "namespaces", state, f"missing: {' '.join(gone)}", "containers are less apart", "Boot your distribution's own kernel"
        )
    limit = machine.read("/proc/sys/user/max_user_namespaces").strip()
    if "user" in there and limit == "0":
        remedy = "sudo sysctl -w user.max_user_namespaces=15000"
        yield Finding("kernel", "user namespaces", NOTE, "switched off", "--userns-remap and rootless do not work", remedy)
    elif "user" in there:
        yield Finding("kernel", "user namespaces", OK, f"up to {limit or 'any number'}")


def _capabilities(machine: Machine) -> Iterator[Finding]:
    if not machine.is_root():
        return
    match = re.search(r"^CapEff:\s*([0-9a-f]+)", machine.read("/proc/self/status"), re.MULTILINE)
    effective = int(match[1], 16) if match else 0
    gone = [name for name, (bit, _) in _CAPABILITIES.items() if not effective >> bit & 1]
    if not gone:
        yield Finding("kernel", "capabilities", OK, "all that are needed")
    for name in gone:
        remedy = "This machine is itself a container: start it with more rights (--privileged or --cap-add)"
        yield Finding("kernel", f"CAP_{name}", _CAPABILITIES[name][1], "missing", _WITHOUT[name], remedy)


def _cgroups(machine: Machine) -> Iterator[Finding]:
    v1, v2 = _controllers(machine)
    kind = "hybrid (v1 and v2)" if v1 and v2 is not None else "v1" if v1 else "v2" if v2 is not None else ""
    if not kind:
        remedy = "sudo mount -t cgroup2 none /sys/fs/cgroup"
        yield Finding("control groups", "version", MISSING, "not mounted", "nothing can be limited or killed as a whole", remedy)
        return
    yield Finding("control groups", "version", OK, kind)
    for name, (unified, severity, consequence) in _CONTROLLERS.items():
        if name in v1:
            yield Finding("control groups", name, OK, "v1")
        elif v2 is not None and (unified in v2 or (not unified and not v1)):
            # v2 has the freezer in every group, and guards devices by a program of ours.
            yield Finding("control groups", name, OK, "v2")
        else:
            remedy = f"Boot with cgroup_enable={name}, or mount it: sudo mount -t cgroup -o {name} {name} /sys/fs/cgroup/{name}"
            yield Finding("control groups", name, severity, "missing", consequence, remedy)


def _controllers(machine: Machine) -> tuple[set[str], set[str] | None]:
    """Return v1's mounted controllers, and v2's or None where it is not mounted."""
    v1: set[str] = set()
    v2: set[str] | None = None
    for line in machine.read("/proc/self/mountinfo").splitlines():
        fields = line.split()
        if "-" not in fields:
            continue
        dash = fields.index("-")
        kind, options, where = fields[dash + 1], fields[dash + 3], fields[4]
        if kind == "cgroup":
            v1.update(options.split(","))
        elif kind == "cgroup2":
            v2 = set(machine.read(f"{where}/cgroup.controllers").split())
    return v1 & set(_CONTROLLERS), v2
