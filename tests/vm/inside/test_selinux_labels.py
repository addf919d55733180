"""A kernel whose security module is SELinux, without a policy: label options are taken and harm nothing, and nothing is claimed."""

from pathlib import Path

import pytest

from support.daemon import Daemon
from vm.inside.using import begin, inside, inspect, remove, run


def test_this_kernel_has_selinux() -> None:
    assert "selinux" in Path("/sys/kernel/security/lsm").read_text().split(",")
    assert Path("/proc/self/attr/current").read_text().rstrip("\0\n") == "kernel"


def test_it_is_not_claimed(daemon: Daemon) -> None:
    options = daemon.api("GET", "/info")["SecurityOptions"]
    assert not any("selinux" in option or "apparmor" in option for option in options)


@pytest.mark.parametrize("label", ["disable", "type:container_t", "level:s0:c1,c2", "colour:red"])
def test_label_options_are_taken(label: str, daemon: Daemon) -> None:
    """Unread, as by a dockerd without --selinux-enabled."""
    assert run(daemon, "--security-opt", f"label={label}", "busybox", "echo", "runs") == "runs"


@pytest.mark.parametrize("mode", ["z", "Z", "ro,z"])
def test_relabelling_binds_work_and_change_nothing(mode: str, daemon: Daemon, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")
    before = (tmp_path / "file").stat()
    begin(daemon, "bound", "-v", f"{tmp_path}:/data:{mode}", "busybox", "sleep", "600")
    assert inside(daemon, "bound", "cat /data/file") == "content"
    assert inspect(daemon, "bound")["Mounts"][0]["Mode"] == mode
    remove(daemon, "bound")
    assert (tmp_path / "file").stat().st_ctime_ns == before.st_ctime_ns


def test_processes_and_execs_run_and_inspect_names_no_label(daemon: Daemon) -> None:
    made = begin(daemon, "plain", "busybox", "sleep", "600")
    assert (made["ProcessLabel"], made["MountLabel"], made["AppArmorProfile"]) == ("", "", "")
    assert inside(daemon, "plain", "echo fine") == "fine"
    remove(daemon, "plain")
