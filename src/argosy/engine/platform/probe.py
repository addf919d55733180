"""`probe` reads what `Machine` tells: /proc, /sys, os-release. Every path is below ``root``, so that tests can lay out their own."""

import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path

from argosy.engine.platform.cgroups import detect
from argosy.engine.platform.machine import Machine
from argosy.linux import selinux

_PAIR = re.compile(r"""^\s*([A-Z_]+)=(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S*))\s*$""", re.MULTILINE)


def probe(root: Path = Path("/")) -> Machine:
    """Return what this machine offers. Reads a few small files; nothing is changed."""
    names = os.uname()
    release = os_release(root)
    apparmor, parser = _apparmor(root)
    return Machine(
        cpus=len(os.sched_getaffinity(0)),
        cpuset_cpus=_online(root / "sys/devices/system/cpu/online", "0"),
        cpuset_mems=_online(root / "sys/devices/system/node/online", "0"),
        memory=_memory(root),
        kernel=names.release,
        architecture=names.machine,
        os_name=release.get("PRETTY_NAME") or release.get("NAME") or "Linux",
        os_version=release.get("VERSION_ID", ""),
        hostname=names.nodename,
        cgroups=detect(root),
        seccomp=_exists(root, "proc/sys/kernel/seccomp/actions_avail"),
        apparmor=apparmor and bool(parser),
        apparmor_parser=parser,
        apparmor_in_kernel=apparmor,
        selinux=selinux.enabled(str(root)),
        user_namespaces=_exists(root, "proc/self/ns/user") and _read(root / "proc/sys/user/max_user_namespaces") != "0",
        cgroup_namespaces=_exists(root, "proc/self/ns/cgroup"),
        ipv4_forwarding=_read(root / "proc/sys/net/ipv4/ip_forward") != "0",
        recursive_read_only=_kernel_at_least(names.release, 5, 12),
        in_container=any(not line.endswith((":/", ":/init.scope")) for line in _read(root / "proc/1/cgroup").splitlines()),
    )


def os_release(root: Path) -> Mapping[str, str]:
    """Return the variables of os-release(5), quotes taken off."""
    text = _read(root / "etc/os-release") or _read(root / "usr/lib/os-release")
    return {match[1]: next(part for part in (*match.groups()[1:], "") if part is not None) for match in _PAIR.finditer(text)}


def go_architecture(machine: str) -> str:
    """Return Go's and OCI's name of uname's machine."""
    return {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386", "ppc64le": "ppc64le"}.get(machine, machine)


def physical_memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def python_version() -> str:
    return platform.python_version()


def _apparmor(root: Path) -> tuple[bool, str]:
    """Whether the kernel has it, and where the parser is. Within a container (which says so by ``$container``) it is the host's."""
    enabled = _read(root / "sys/module/apparmor/parameters/enabled").startswith("Y") and not os.environ.get("container")  # noqa: SIM112
    parsers = [f"/{name}" for name in ("usr/sbin/apparmor_parser", "sbin/apparmor_parser") if _exists(root, name)]
    return enabled and _exists(root, "sys/kernel/security/apparmor/profiles"), parsers[0] if parsers else ""


def _memory(root: Path) -> int:
    """MemTotal, as Docker shows it, which is what the kernel left of the physical memory (proc(5))."""
    found = re.search(r"^MemTotal:\s+(\d+) kB", _read(root / "proc/meminfo"), re.MULTILINE)
    return int(found[1]) * 1024 if found else physical_memory()


def _online(path: Path, otherwise: str) -> str:
    return _read(path) or otherwise


def _kernel_at_least(release: str, major: int, minor: int) -> bool:
    found = re.match(r"(\d+)\.(\d+)", release)
    return found is not None and (int(found[1]), int(found[2])) >= (major, minor)


def _exists(root: Path, name: str) -> bool:
    return (root / name).exists()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
