"""A scratch root file system with busybox, a specification like Docker's, and a driver that runs plans."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import argosy
from argosy.runtime.cgroups import files
from argosy.runtime.cgroups.group import signal_process
from argosy.runtime.compile import HostFacts, compile_start, probe_host
from argosy.runtime.seccomp import compiled, resolve
from argosy.storage.model import Directory, Overlay

SOURCE = str(Path(argosy.__file__).parent.parent)
DRIVER = Path(__file__).with_name("driver.py")
CAPABILITIES = [
    *("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID"),
    *("CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE"),
]
QUIET = ["nosuid", "noexec", "nodev"]
MOUNTS = [
    {"destination": "/proc", "type": "proc", "source": "proc", "options": QUIET},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
    {
        "destination": "/dev/pts",
        "type": "devpts",
        "source": "devpts",
        "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
    },
    {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": [*QUIET, "ro"]},
    {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro", *QUIET]},
    {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": QUIET},
    {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": [*QUIET, "mode=1777", "size=67108864"]},
]
MASKED = [
    *("/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list"),
    *("/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"),
]
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "runtime_low" in str(item.path):
            item.add_marker(pytest.mark.root)


class Low:
    """One test's containers: everything lies in a scratch directory and a cgroup of its own."""

    def __init__(self, scratch: Path, filters: Path) -> None:
        self.scratch = scratch
        self.filters = filters
        self.host: HostFacts = probe_host()
        self.root = scratch / "root"
        self.parent = "/" + scratch.name
        self._count = 0
        _fill(self.root)

    def spec(self, *args: str, **changes: Any) -> dict[str, Any]:
        """Return Docker's usual specification for a command; ``process`` and ``linux`` are merged, the rest replaced."""
        self._count += 1
        spec: dict[str, Any] = {
            "ociVersion": "1.2.0",
            "process": {
                "args": list(args),
                "cwd": "/",
                "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
                "user": {"username": ""},
                "capabilities": dict.fromkeys(("bounding", "effective", "permitted"), CAPABILITIES),
            },
            "hostname": "c" + str(self._count),
            "mounts": list(MOUNTS),
            "linux": {
                "namespaces": [{"type": kind} for kind in ("mount", "network", "uts", "pid", "ipc", "cgroup")],
                "cgroupsPath": f"{self.parent}/{self._count}",
                "resources": {"devices": [{"allow": False, "access": "rwm"}]},
                "maskedPaths": MASKED,
                "readonlyPaths": READ_ONLY,
            },
        }
        for key, value in changes.items():
            spec[key] = {**spec[key], **value} if key in ("process", "linux") else value
        return spec

    def plan(
        self, *args: str, seccomp: bool = True, rootfs: Any = None, options: dict[str, Any] | None = None, **changes: Any
    ) -> dict[str, Any]:
        bpf = None
        if seccomp:
            profile = resolve(None, capabilities=CAPABILITIES, machine=self.host.machine, kernel=self.host.kernel)
            bpf = compiled(profile, cache_dir=str(self.filters))
        spec: Any = self.spec(*args, **changes)
        return compile_start(spec, rootfs or self.overlay(), container_id=f"c{self._count}", host=self.host, bpf=bpf, **(options or {}))

    def overlay(self) -> Overlay:
        upper, work = self.scratch / f"upper{self._count}", self.scratch / f"work{self._count}"
        upper.mkdir(exist_ok=True)
        work.mkdir(exist_ok=True)
        return Overlay(lower=(str(self.root),), upper=str(upper), work=str(work))

    def directory(self) -> Directory:
        return Directory(str(self.root))

    def run_all(self, *plans: dict[str, Any], **job: Any) -> dict[str, Any]:
        """Return ``results`` of the plans, then of the execs, and how many fds the driver had left open."""
        text = json.dumps({"source": SOURCE, "plans": list(plans), **job})
        done = subprocess.run([sys.executable, "-I", "-S", str(DRIVER)], input=text, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def run(self, *args: str, **changes: Any) -> dict[str, Any]:
        result: dict[str, Any] = self.run_all(self.plan(*args, **changes))["results"][0]
        return result

    def sh(self, script: str, **changes: Any) -> str:
        """Return the output of a script that has to succeed."""
        result = self.run("sh", "-c", script, **changes)
        assert result.get("status") == 0, result
        return str(result["stdout"])

    def cgroups(self) -> list[str]:
        """Return the containers' cgroups that still exist."""
        points = {*self.host.cgroup_mounts.values(), *([self.host.unified] if self.host.unified else [])}
        return [
            entry.path
            for point in points
            if os.path.isdir(point + self.parent)
            for entry in os.scandir(point + self.parent)
            if entry.is_dir()
        ]

    def status(self, **changes: Any) -> dict[str, str]:
        """Return /proc/self/status of a program that no shell has touched."""
        result = self.run("cat", "/proc/self/status", **changes)
        assert result["status"] == 0, result
        return {key: value.strip() for key, _, value in (line.partition(":") for line in result["stdout"].splitlines())}

    def close(self) -> None:
        """End what a failed test has left running, and remove its cgroups."""
        for point in {*self.host.cgroup_mounts.values(), *([self.host.unified] if self.host.unified else [])}:
            for directory, _, _ in os.walk(point + self.parent, topdown=False):
                for pid in files.all_pids(directory):
                    signal_process(pid, 9)
                files.remove_tree(directory)


def _fill(root: Path) -> None:
    (root / "bin").mkdir(parents=True)
    shutil.copy("/bin/busybox", root / "bin/busybox")
    for applet in subprocess.run(["/bin/busybox", "--list"], capture_output=True, text=True, check=True).stdout.split():
        link = root / "bin" / applet
        if not link.exists():
            link.symlink_to("busybox")
    (root / "etc").mkdir()
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1000::/home/bob:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\nbob:x:1000:\nextra:x:2000:bob\n")
    (root / "tmp").mkdir()


@pytest.fixture
def low(root: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Low]:
    if not os.path.exists("/bin/busybox"):
        pytest.skip("needs busybox-static")
    scratch = Path(tempfile.mkdtemp(prefix="argosy-low-"))
    bench = Low(scratch, tmp_path_factory.getbasetemp() / "filters")
    try:
        yield bench
        assert bench.cgroups() == []
        assert not [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(scratch) in line]
    finally:
        bench.close()
        shutil.rmtree(scratch, ignore_errors=True)


@pytest.fixture
def executable(tmp_path: Path) -> Path:
    """A command ``argosy-runtime`` as a script of its own."""
    path = tmp_path / "argosy-runtime"
    path.write_text(
        f"#!{sys.executable} -IS\nimport sys\nsys.path.insert(0, {SOURCE!r})\n"
        "from argosy.runtime.oci.__main__ import main\nsys.exit(main())\n"
    )
    path.chmod(0o755)
    return path
