"""What the machine offers, from laid-out /proc and /sys trees."""

import pytest

from argosy.engine.platform.cgroups import detect, hierarchies
from argosy.engine.platform.probe import go_architecture, os_release, probe

HYBRID = """tmpfs /sys/fs/cgroup tmpfs rw 0 0
cgroup /sys/fs/cgroup/cpu cgroup rw,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0
cgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
"""
UNIFIED = "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\ncgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0\n"


@pytest.fixture
def lay(tmp_path):
    def make(**files):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return make


def write(root, name, text=""):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_hierarchies():
    v1, v2 = hierarchies(HYBRID)
    assert v1 == {
        "cpu": "/sys/fs/cgroup/cpu", "cpuacct": "/sys/fs/cgroup/cpu", "memory": "/sys/fs/cgroup/memory", "pids": "/sys/fs/cgroup/pids",
    }  # fmt: skip
    assert v2 == "/sys/fs/cgroup/unified"
    assert hierarchies(UNIFIED) == ({}, "/sys/fs/cgroup")


def test_a_v1_limit_exists_if_its_file_does(tmp_path):
    write(tmp_path, "proc/self/mounts", HYBRID)
    write(tmp_path, "sys/fs/cgroup/memory/memory.soft_limit_in_bytes")
    write(tmp_path, "sys/fs/cgroup/memory/child/memory.memsw.limit_in_bytes")
    write(tmp_path, "sys/fs/cgroup/cpu/cpu.shares")
    found = detect(tmp_path)
    assert found.version == 1 and found.memory and found.pids and not found.cpuset
    assert found.memory_reservation and found.swap and found.cpu_shares and not found.cpu_cfs
    assert not found.blkio_weight and not found.oom_kill_disable


def test_v2_is_known_by_its_controllers(tmp_path):
    write(tmp_path, "proc/self/mounts", UNIFIED)
    write(tmp_path, "sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n")
    write(tmp_path, "sys/fs/cgroup/system.slice/io.weight")
    found = detect(tmp_path)
    assert found.version == 2 and found.memory and found.cpu_cfs and found.blkio_read_bps and found.blkio_weight
    assert not found.oom_kill_disable and not found.memory_swappiness and not found.cpu_realtime
    assert not found.swap  # there is a child, and it has no memory.swap.max
    write(tmp_path, "sys/fs/cgroup/system.slice/memory.swap.max")
    assert detect(tmp_path).swap


def test_without_cgroups_nothing_can_be_limited(tmp_path):
    found = detect(tmp_path)
    assert not (found.memory or found.pids or found.cpu_shares or found.devices)


def test_probe_reads_a_laid_out_machine(tmp_path):
    write(tmp_path, "proc/self/mounts", UNIFIED)
    write(tmp_path, "proc/meminfo", "MemTotal:       1000 kB\nMemFree: 5 kB\n")
    write(tmp_path, "etc/os-release", "PRETTY_NAME=\"Test Linux 7\"\nVERSION_ID=7\nNAME='Test'\n")
    write(tmp_path, "sys/devices/system/cpu/online", "0-3,6\n")
    write(tmp_path, "proc/sys/net/ipv4/ip_forward", "0\n")
    write(tmp_path, "proc/1/cgroup", "0::/docker/abc\n")
    found = probe(tmp_path)
    assert (found.memory, found.os_name, found.os_version, found.cpuset_cpus) == (1_024_000, "Test Linux 7", "7", "0-3,6")
    assert not found.ipv4_forwarding and found.in_container and not found.apparmor and not found.seccomp


def test_this_machine_can_be_probed():
    found = probe()
    assert found.cpus > 0 and found.memory > 0 and found.kernel and found.architecture


def test_os_release_quotes(tmp_path):
    write(tmp_path, "etc/os-release", "A='x y'\nB=\"z\"\n# C=1\nD=plain\nE=\n")
    assert os_release(tmp_path) == {"A": "x y", "B": "z", "D": "plain", "E": ""}


def test_architectures():
    assert go_architecture("x86_64") == "amd64" and go_architecture("aarch64") == "arm64" and go_architecture("riscv64") == "riscv64"
