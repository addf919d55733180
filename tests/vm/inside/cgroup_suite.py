"""What cgroup v2 must do for a container, whoever makes the cgroups: argosyd by itself or systemd for it."""

import time
from pathlib import Path

from support.daemon import Daemon
from vm.inside.using import begin, events, inside, inspect, refusal, remove, run

FILES = "cd /sys/fs/cgroup && cat"


class CgroupSuite:
    """Mixed into a test class; the file's ``daemon`` uses the driver in question."""

    driver = ""

    def test_it_is_the_driver_and_version_2(self, daemon: Daemon) -> None:
        info = daemon.api("GET", "/info")
        assert (info["CgroupVersion"], info["CgroupDriver"]) == ("2", self.driver)
        assert not [warning for warning in info["Warnings"] or () if "No " in warning and "io.weight" not in warning]

    def test_limits_are_in_its_files(self, daemon: Daemon) -> None:
        words = ["-m", "64m", "--memory-swap", "96m", "--memory-reservation", "32m", "--pids-limit", "77", "--cpus", "0.5"]
        words += ["--cpuset-cpus", "0", "--cpu-shares", "512", "--device-write-bps", "/dev/vda:1mb", "--device-read-iops", "/dev/vda:100"]
        script = f"{FILES} memory.max memory.swap.max memory.low pids.max cpu.max cpuset.cpus cpu.weight io.max"
        lines = run(daemon, *words, "busybox", "sh", "-c", script).splitlines()
        assert lines[:7] == [str(64 << 20), str(32 << 20), str(32 << 20), "77", "50000 100000", "0", "20"]
        assert {"rbps=max", f"wbps={1 << 20}", "riops=100", "wiops=max"} <= set(lines[7].split())

    def test_an_update_changes_them_while_it_runs(self, daemon: Daemon) -> None:
        begin(daemon, "updated", "-m", "64m", "busybox", "sleep", "600")
        body = {"Memory": 128 << 20, "MemorySwap": 256 << 20, "PidsLimit": 33, "NanoCpus": 250_000_000, "CpuShares": 2048}
        assert not daemon.api("POST", "/containers/updated/update", body)["Warnings"]
        script = f"{FILES} memory.max memory.swap.max pids.max cpu.max cpu.weight"
        assert inside(daemon, "updated", script).splitlines() == [str(128 << 20), str(128 << 20), "33", "25000 100000", "79"]
        remove(daemon, "updated")

    def test_it_has_a_namespace_and_cannot_be_written_but_by_the_privileged(self, daemon: Daemon) -> None:
        assert run(daemon, "busybox", "cat", "/proc/self/cgroup") == "0::/"
        assert "Read-only" in refusal(daemon, "busybox", "mkdir", "/sys/fs/cgroup/x")
        script = "mkdir /sys/fs/cgroup/x && echo 0 >/sys/fs/cgroup/x/cgroup.procs && cat /proc/self/cgroup"
        assert run(daemon, "--privileged", "busybox", "sh", "-c", script) == "0::/x"
        named = run(daemon, "--cgroupns", "host", "busybox", "cat", "/proc/self/cgroup")
        assert named.startswith("0::/") and len(named) > 64

    def test_the_oom_killer_is_told_of(self, daemon: Daemon) -> None:
        daemon.argosy("run", "--name", "hog", "-m", "16m", "--memory-swap", "16m", "busybox", "tail", "/dev/zero")
        state = inspect(daemon, "hog")["State"]
        assert (state["OOMKilled"], state["ExitCode"]) == (True, 137)
        assert "oom" in events(daemon, "hog") and events(daemon, "hog").index("oom") < events(daemon, "hog").index("die")
        remove(daemon, "hog")

    def test_the_oom_killer_in_an_exec_is_told_of_and_the_container_goes_on(self, daemon: Daemon) -> None:
        begin(daemon, "roomy", "-m", "24m", "--memory-swap", "24m", "busybox", "sleep", "600")
        assert daemon.argosy("exec", "roomy", "tail", "/dev/zero").returncode == 137
        deadline = time.monotonic() + 60
        while "oom" not in events(daemon, "roomy") and time.monotonic() < deadline:
            time.sleep(0.1)
        assert "oom" in events(daemon, "roomy") and inspect(daemon, "roomy")["State"]["Running"]
        remove(daemon, "roomy")

    def test_pause_stops_everything_in_it_and_an_exec_runs_within_its_limits(self, daemon: Daemon) -> None:
        # Its first process must not fork: a shell that cannot, for the exec below has taken the rest of the limit, ends, and all with it.
        made = begin(daemon, "stays", "--pids-limit", "20", "busybox", "sleep", "600")
        assert daemon.argosy("pause", "stays").returncode == 0
        assert inspect(daemon, "stays")["State"]["Status"] == "paused"
        group = Path(f"/proc/{made['State']['Pid']}/cgroup").read_text().strip().removeprefix("0::")
        assert "frozen 1" in Path(f"/sys/fs/cgroup{group}/cgroup.events").read_text()
        assert "is paused" in daemon.argosy("exec", "stays", "true").stderr
        assert daemon.argosy("unpause", "stays").returncode == 0
        assert inside(daemon, "stays", "echo on") == "on"
        stuck = daemon.argosy("exec", "stays", "sh", "-c", "for i in $(seq 40); do sleep 5 & done")
        assert "fork" in stuck.stderr
        assert {"pause", "unpause"} <= set(events(daemon, "stays"))
        remove(daemon, "stays")

    def test_stats_count(self, daemon: Daemon) -> None:
        begin(daemon, "counted", "-m", "64m", "busybox", "sh", "-c", "dd if=/dev/zero of=/f bs=1M count=8; sync; while :; do :; done")
        deadline = time.monotonic() + 120
        while True:
            stats = daemon.api("GET", "/containers/counted/stats?stream=0")
            rows = stats["blkio_stats"]["io_service_bytes_recursive"] or []
            if sum(row["value"] for row in rows if row["op"] == "write") >= 8 << 20 or time.monotonic() > deadline:
                break
        assert sum(row["value"] for row in rows if row["op"] == "write") >= 8 << 20, stats
        assert stats["cpu_stats"]["cpu_usage"]["total_usage"] > 0 and stats["cpu_stats"]["system_cpu_usage"] > 0
        memory = stats["memory_stats"]
        assert memory["limit"] == 64 << 20 and 0 < memory["usage"] <= 64 << 20 and "inactive_file" in memory["stats"]
        assert stats["pids_stats"]["current"] >= 1
        remove(daemon, "counted")

    def test_device_rules_are_programs_that_the_kernel_asks(self, daemon: Daemon) -> None:
        assert "Operation not permitted" in refusal(daemon, "busybox", "sh", "-c", "mknod /x b 254 0 && head -c 1 /x")
        assert run(daemon, "--device", "/dev/vda:/dev/x:r", "busybox", "sh", "-c", "head -c 1 /dev/x | wc -c") == "1"
        assert "Operation not permitted" in refusal(daemon, "--device", "/dev/vda:/dev/x:r", "busybox", "sh", "-c", ": >>/dev/x")
        rule = ["--device-cgroup-rule", "c 1:11 rw"]
        assert run(daemon, *rule, "busybox", "sh", "-c", "mknod /k c 1 11 && : >>/k && echo open") == "open"
        assert (
            run(daemon, "busybox", "sh", "-c", "for d in null zero full random urandom tty ptmx; do [ -e /dev/$d ] || echo $d; done") == ""
        )
        assert run(daemon, "--privileged", "busybox", "sh", "-c", "head -c 1 /dev/vda | wc -c") == "1"

    def test_nothing_is_left_in_the_hierarchy(self, daemon: Daemon) -> None:
        for view in daemon.api("GET", "/containers/json?all=1"):
            remove(daemon, view["Id"])
        left = [path for path in Path("/sys/fs/cgroup").rglob("*") if path.is_dir() and any(mark in path.name for mark in daemon.api.made)]
        assert left == []
        assert [path for base in Path("/sys/fs/cgroup").glob("argosy*") for path in base.iterdir() if len(path.name) >= 64] == []
