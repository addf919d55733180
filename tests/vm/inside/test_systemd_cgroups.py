"""Under systemd: the same of `native.cgroupdriver=systemd`, and what systemd's own ideas of a unit must not undo."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from support.daemon import Daemon
from vm.inside.cgroup_suite import FILES, CgroupSuite
from vm.inside.using import begin, events, inside, inspect, remove


@pytest.fixture(scope="module")
def arguments() -> list[str]:
    return ["--exec-opt", "native.cgroupdriver=systemd"]


def systemctl(*words: str) -> str:
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


class TestSystemdDriver(CgroupSuite):
    driver = "systemd"

    def test_a_container_is_a_scope_of_system_slice(self, daemon: Daemon) -> None:
        made = begin(daemon, "scoped", "-m", "64m", "--pids-limit", "50", "busybox", "sleep", "600")
        unit = f"argosy-{made['Id']}.scope"
        assert Path(f"/proc/{made['State']['Pid']}/cgroup").read_text() == f"0::/system.slice/{unit}\n"
        assert systemctl("show", "-P", "ActiveState", unit) == "active"
        assert systemctl("show", "-P", "MemoryMax", unit) == str(64 << 20)
        assert systemctl("show", "-P", "TasksMax", unit) == "50"
        remove(daemon, "scoped")
        assert systemctl("show", "-P", "ActiveState", unit) == "inactive"
        assert unit not in systemctl("list-units", "--all", "--no-legend", "--plain", "*.scope")

    def test_a_slice_of_ones_own_is_the_parent(self, daemon: Daemon) -> None:
        made = begin(daemon, "sliced", "--cgroup-parent", "tenants-one.slice", "busybox", "sleep", "600")
        group = Path(f"/proc/{made['State']['Pid']}/cgroup").read_text()
        assert group == f"0::/tenants.slice/tenants-one.slice/argosy-{made['Id']}.scope\n"
        remove(daemon, "sliced")

    def test_daemon_reload_undoes_no_limit_no_device_rule_and_no_pause(self, daemon: Daemon) -> None:
        words = ["-m", "64m", "--pids-limit", "50", "--cpus", "0.5", "--device", "/dev/vda:/dev/x:r", "busybox", "sleep", "600"]
        begin(daemon, "reloaded", *words)
        daemon.api("POST", "/containers/reloaded/update", {"Memory": 80 << 20, "MemorySwap": 160 << 20, "PidsLimit": 60})
        # mknod is allowed, opening what was made is not.
        script = "mknod /k c 1 11; true >>/k && echo hole; head -c 1 /dev/x | wc -c"
        script += "; true >>/dev/x && echo hole; echo >/dev/null && echo null"
        files = f"{FILES} memory.max memory.swap.max pids.max cpu.max"
        for _ in range(3):
            systemctl("daemon-reload")
            assert inside(daemon, "reloaded", files).split() == [str(80 << 20), str(80 << 20), "60", "50000", "100000"]
            assert inside(daemon, "reloaded", f"({script}) 2>/dev/null; rm -f /k").split() == ["1", "null"]
        daemon.api("POST", "/containers/reloaded/pause")
        systemctl("daemon-reload")
        group = Path(f"/proc/{inspect(daemon, 'reloaded')['State']['Pid']}/cgroup").read_text().strip().removeprefix("0::")
        assert "frozen 1" in Path(f"/sys/fs/cgroup{group}/cgroup.events").read_text()
        daemon.api("POST", "/containers/reloaded/unpause")
        remove(daemon, "reloaded")

    def test_an_oom_kill_is_told_of_when_systemd_has_removed_the_cgroup_first(self, daemon: Daemon) -> None:
        script = "while [ ! -e /dev/shm/go ]; do sleep 0.1; done; exec tail /dev/zero"
        made = begin(daemon, "late", "-m", "16m", "--memory-swap", "16m", "busybox", "sh", "-c", script)
        pid = made["State"]["Pid"]
        group = Path("/sys/fs/cgroup" + Path(f"/proc/{pid}/cgroup").read_text().strip().removeprefix("0::"))
        shim = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(shim, signal.SIGSTOP)
        try:
            Path(f"/proc/{pid}/root/dev/shm/go").touch()
            deadline = time.monotonic() + 120
            while group.exists():
                assert time.monotonic() < deadline
                time.sleep(0.1)
        finally:
            os.kill(shim, signal.SIGCONT)
        assert daemon.api("POST", "/containers/late/wait", timeout=120)["StatusCode"] == 137
        assert inspect(daemon, "late")["State"]["OOMKilled"] and "oom" in events(daemon, "late")
        # The kill before is not one of the next run.
        daemon.api("POST", "/containers/late/start")
        daemon.api("POST", "/containers/late/kill")
        assert daemon.api("POST", "/containers/late/wait", timeout=120)["StatusCode"] == 137
        assert not inspect(daemon, "late")["State"]["OOMKilled"]
        remove(daemon, "late")


class TestCgroupfsBesideSystemd:
    def test_daemon_reload_leaves_alone_what_is_not_systemds(self, tmp_path: Path) -> None:
        daemon = Daemon(tmp_path)
        try:
            daemon.start()
            daemon.import_busybox()
            begin(daemon, "plain", "-m", "64m", "--device", "/dev/vda:/dev/x:r", "busybox", "sleep", "600")
            systemctl("daemon-reload")
            assert inside(daemon, "plain", f"{FILES} memory.max") == str(64 << 20)
            assert inside(daemon, "plain", "(head -c 1 /dev/x | wc -c; true >>/dev/x && echo hole) 2>/dev/null; true") == "1"
        finally:
            daemon.destroy()
