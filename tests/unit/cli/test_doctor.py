"""The doctor on machines that we make up."""

import json
from pathlib import Path

import pytest

from argosy.cli.commands.top_level.doctor import text
from argosy.cli.doctor import daemon, kernel, network, security, storage
from argosy.cli.doctor.finding import MISSING, NOTE, OK, Finding
from argosy.cli.doctor.machine import Machine
from argosy.cli.session import Session


class Fake(Machine):
    """A machine of files below a directory, with answers to commands."""

    def __init__(
        self, root: Path, *, release: str = "6.1.0", is_root: bool = True, answers: dict[str, tuple[int, str]] | None = None
    ) -> None:
        super().__init__(str(root))
        self._release = release
        self._is_root = is_root
        self._answers = answers or {}

    def release(self) -> str:
        return self._release

    def is_root(self) -> bool:
        return self._is_root

    def has(self, program: str) -> bool:
        return any(program in command.split() for command in self._answers)

    def run(self, *command: str) -> tuple[int, str]:
        line = " ".join(command)
        return next((answer for known, answer in self._answers.items() if known in line), (1, ""))


def put(root: Path, path: str, content: str = "") -> None:
    file = root / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)


def find(findings: list[Finding], name: str) -> Finding:
    return next(one for one in findings if one.name == name)


MOUNTS_V1 = "".join(
    f"1 1 0:1 / /sys/fs/cgroup/{name} rw - cgroup cgroup rw,{name}\n"
    for name in ("cpu", "cpuset", "memory", "pids", "blkio", "freezer", "devices")
)
MOUNT_V2 = "1 1 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"


def machine(root: Path, mounts: str = MOUNT_V2, controllers: str = "cpuset cpu io memory hugetlb pids") -> Fake:
    put(root, "/proc/self/mountinfo", mounts)
    put(root, "/sys/fs/cgroup/cgroup.controllers", controllers)
    put(root, "/proc/self/status", "CapEff:\t000001ffffffffff\n")
    put(root, "/proc/filesystems", "nodev\toverlay\nnodev\ttmpfs\n\tbtrfs\n")
    for name in ("mnt", "uts", "ipc", "pid", "net", "cgroup", "user", "time"):
        put(root, f"/proc/self/ns/{name}")
    return Fake(root)


def test_a_good_machine_lacks_nothing(tmp_path: Path) -> None:
    found = list(kernel.probe(machine(tmp_path)))
    assert not [one.name for one in found if one.state == MISSING]
    assert find(found, "version").state == OK
    assert next(one.detail for one in found if one.section == "control groups") == "v2"


@pytest.mark.parametrize(("mounts", "kind"), [(MOUNTS_V1, "v1"), (MOUNTS_V1 + MOUNT_V2, "hybrid (v1 and v2)"), (MOUNT_V2, "v2")])
def test_versions_of_control_groups_are_told_apart(tmp_path: Path, mounts: str, kind: str) -> None:
    found = [one for one in kernel.probe(machine(tmp_path, mounts)) if one.section == "control groups"]
    assert found[0].detail == kind
    assert all(one.state == OK for one in found if one.name != "hugetlb")


def test_missing_controllers_say_what_follows(tmp_path: Path) -> None:
    found = list(kernel.probe(machine(tmp_path, controllers="cpu")))
    assert find(found, "memory").state == MISSING
    assert "cgroup_enable=memory" in find(found, "memory").remedy
    assert find(found, "hugetlb").state == NOTE


def test_an_old_kernel_and_no_control_groups_are_missing_things(tmp_path: Path) -> None:
    bare = machine(tmp_path, mounts="")
    bare._release = "4.19.0"
    found = list(kernel.probe(bare))
    assert {one.name for one in found if one.state == MISSING} == {"version"}
    assert len([one for one in found if one.state == MISSING]) == 2


def test_capabilities_are_named(tmp_path: Path) -> None:
    one = machine(tmp_path)
    put(tmp_path, "/proc/self/status", "CapEff:\t%016x\n" % (0x1FFFFFFFFFF & ~(1 << 24)))
    assert find(list(kernel.probe(one)), "CAP_SYS_RESOURCE").state == NOTE


def test_a_module_that_can_be_loaded_is_offered(tmp_path: Path) -> None:
    one = machine(tmp_path)
    put(tmp_path, "/proc/filesystems", "nodev\ttmpfs\n")
    put(tmp_path, "/lib/modules/6.1.0/modules.dep", "kernel/fs/overlayfs/overlay.ko.xz:\nkernel/fs/btrfs/btrfs.ko: x\n")
    found = list(storage.probe(one, "/var/lib/argosy"))
    assert "modprobe overlay" in find(found, "overlay").remedy
    assert find(found, "btrfs").detail == "available (modprobe btrfs)"
    assert find(found, "fuse").state == NOTE


def test_links_are_tried_where_that_is_possible(tmp_path: Path) -> None:
    one = machine(tmp_path)
    one._answers = {"type veth": (0, ""), "ip link add probe type bridge": (0, ""), "unshare": (1, "")}
    found = list(network.probe(one))
    assert find(found, "veth").state == OK
    assert find(found, "vxlan").state == NOTE


def test_chains_that_drop_are_named() -> None:
    chains = [
        {"chain": {"family": "ip", "table": "filter", "name": "FORWARD", "hook": "forward", "policy": "drop"}},
        {"chain": {"family": "inet", "table": "fw", "name": "fwd", "hook": "forward", "policy": "accept"}},
        {"chain": {"family": "ip", "table": "filter", "name": "DOCKER"}},
    ]
    assert network.dropping(json.dumps({"nftables": chains})) == ["ip filter FORWARD"]
    assert network.dropping("broken") == []


def test_confinement_is_looked_at(tmp_path: Path) -> None:
    one = machine(tmp_path)
    put(tmp_path, "/proc/sys/kernel/seccomp/actions_avail", "kill errno allow")
    put(tmp_path, "/sys/fs/selinux/enforce", "1")
    found = list(security.probe(one))
    assert "libseccomp2" in find(found, "seccomp").remedy
    assert find(found, "AppArmor").state == NOTE
    assert find(found, "SELinux").detail == "no policy"
    put(tmp_path, "/proc/self/attr/current", "system_u:system_r:kernel_t:s0\0")
    assert "lxc_contexts" in find(list(security.probe(one)), "SELinux").consequence
    put(tmp_path, "/etc/selinux/default/contexts/lxc_contexts", "")
    assert find(list(security.probe(one)), "SELinux").state == OK and "enforcing" in find(list(security.probe(one)), "SELinux").detail


def test_a_daemon_that_does_not_answer_is_a_note(tmp_path: Path) -> None:
    found = list(daemon.probe(machine(tmp_path), Session({}, host=f"unix://{tmp_path}/none")))
    assert find(found, "reachable").state == NOTE
    assert "systemctl start argosyd" in find(found, "reachable").remedy


def test_the_report_ends_with_a_verdict() -> None:
    findings = [Finding("kernel", "a", OK, "fine"), Finding("network", "b", MISSING, "gone", "no network", "sudo mend")]
    assert text(findings, False) == (
        "Kernel\n  ok  a  fine\n\nNetwork\n  NO  b  gone\n         means: no network\n         mend: sudo mend\n\n"
        "1 needed thing is missing; 0 notes.\n"
    )
    assert "\x1b[31mNO" in text(findings, True)


def test_handlers_for_programs_of_other_platforms_are_told(tmp_path: Path) -> None:
    root = machine(tmp_path)
    assert "qemu-user-static" in find(list(kernel.probe(root)), "other platforms").remedy
    place = "/proc/sys/fs/binfmt_misc"
    put(tmp_path, f"{place}/qemu-aarch64", "enabled\ninterpreter /usr/bin/qemu-aarch64\nflags: OCF\noffset 0\nmagic 7f454c46020101\n")
    put(tmp_path, f"{place}/python3.11", "enabled\ninterpreter /usr/bin/python3.11\nflags: \noffset 0\nmagic a70d0d0a\n")
    put(tmp_path, f"{place}/status", "enabled\n")
    found = find(list(kernel.probe(root)), "other platforms")
    assert (found.state, found.detail) == (OK, "qemu-aarch64")
