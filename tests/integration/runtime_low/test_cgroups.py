"""cgroups of both kinds on the kernel at hand; v2 as far as this host hands its controllers out."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from argosy.runtime.cgroups import Group, Membership, open_group
from argosy.runtime.compile.cgroup import DEFAULT_DEVICES

DENY = [{"allow": False, "access": "rwm"}, *DEFAULT_DEVICES]
Make = Callable[..., Group]


@pytest.fixture
def make(low: Any) -> Iterator[Make]:
    made: list[Group] = []

    def build(mode: str = "", **resources: Any) -> Group:
        mode = mode or low.host.cgroup_mode
        cgroup = {
            "mode": mode,
            "manager": "cgroupfs",
            "mounts": {} if mode == "v2" else low.host.cgroup_mounts,
            "unified": low.host.unified,
            "resources": resources,
            "path": f"{low.parent}/g{len(made)}",
        }
        made.append(open_group(cgroup))
        return made[-1]

    yield build
    for group in made:
        group.kill()
        group.remove()


@pytest.fixture(params=["host", "v2"])
def any_make(request: pytest.FixtureRequest, low: Any, make: Make) -> Make:
    if request.param == "v2" and not low.host.unified:
        pytest.skip("no cgroup v2 hierarchy on this host")
    mode = "v2" if request.param == "v2" else low.host.cgroup_mode
    return lambda **resources: make(mode, **resources)


@pytest.fixture
def start_in() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a program that goes into a group first, as init does."""
    started: list[subprocess.Popen[bytes]] = []

    def start(group: Group, *argv: str, **options: Any) -> subprocess.Popen[bytes]:
        doors = group.doors()
        if group.clones_into:
            doors.append(os.open(group.directory() + "/cgroup.procs", os.O_WRONLY))
        started.append(subprocess.Popen(argv or ("sleep", "100"), preexec_fn=lambda: [os.write(fd, b"0") for fd in doors], **options))
        for fd in doors:
            os.close(fd)
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_a_process_goes_in_and_is_killed(any_make: Make, start_in: Any) -> None:
    group = any_make(devices=DENY)
    group.create()
    assert group.processes() == []
    sleeper = start_in(group)
    assert group.processes() == [sleeper.pid]
    group.kill()
    assert sleeper.wait() == -9
    group.remove()
    assert not group.exists()
    group.remove()


def test_frozen_processes_stand_still_and_are_killed_all_the_same(any_make: Make, start_in: Any) -> None:
    group = any_make()
    group.create()
    sleeper = start_in(group)
    assert not group.frozen()
    group.freeze()
    assert group.frozen()
    group.thaw()
    assert not group.frozen()
    group.freeze()
    group.kill()
    assert sleeper.wait() == -9


def test_an_execs_group_counts_as_the_containers_and_goes_alone(any_make: Make, start_in: Any) -> None:
    group = any_make()
    group.create()
    own = group.sub("exec-1")
    own.create()
    sleeper = start_in(own)
    assert group.processes() == own.processes() == [sleeper.pid]
    own.kill()
    sleeper.wait()
    own.remove()
    assert group.exists()


def test_a_membership_never_touches_the_others(any_make: Make, start_in: Any) -> None:
    group = any_make()
    group.create()
    member = Membership(group)
    member.create()
    sleeper = start_in(member)
    member.kill()
    member.remove()
    assert group.processes() == [sleeper.pid]
    assert sleeper.poll() is None


def test_samples_have_the_apis_sections(any_make: Make) -> None:
    group = any_make()
    group.create()
    assert set(group.sample()) == {"cpu_stats", "memory_stats", "blkio_stats", "pids_stats"}
    assert group.oom_kills() == 0


def test_limits_are_set_and_changed(make: Make, low: Any) -> None:
    if "memory" not in low.host.cgroup_mounts:
        pytest.skip("memory is not on v1 here")
    group = make(
        memory={"limit": 64 << 20, "swap": 64 << 20}, pids={"limit": 30}, cpu={"shares": 512, "quota": 50000, "period": 100000, "cpus": "0"}
    )
    assert group.create() == []

    def value(controller: str, file: str) -> str:
        return Path(low.host.cgroup_mounts[controller] + group.path, file).read_text().strip()

    assert value("memory", "memory.limit_in_bytes") == str(64 << 20)
    assert value("cpu", "cpu.cfs_quota_us") == "50000"
    assert value("cpuset", "cpuset.cpus") == "0"
    assert value("pids", "pids.max") == "30"
    # Upwards the sum has to change first, downwards last: the order is found by trying again.
    group.update({"memory": {"limit": 128 << 20, "swap": 256 << 20}})
    assert value("memory", "memory.memsw.limit_in_bytes") == str(256 << 20)
    group.update({"memory": {"limit": 32 << 20, "swap": 32 << 20}, "pids": {"limit": -1}})
    assert value("memory", "memory.limit_in_bytes") == str(32 << 20)
    assert value("pids", "pids.max") == "max"


def test_limits_on_v2_are_set_and_changed(make: Make, low: Any) -> None:
    if low.host.cgroup_mode != "v2" or "memory" not in low.host.unified_controllers:
        pytest.skip("this host's controllers are not on v2")
    group = make(memory={"limit": 64 << 20, "swap": 96 << 20}, pids={"limit": 30}, cpu={"shares": 1024, "quota": 50000, "period": 100000})
    group.create()

    def value(file: str) -> str:
        return Path(group.directory(), file).read_text().strip()

    assert (value("memory.max"), value("pids.max")) == (str(64 << 20), "30")
    assert (value("cpu.weight"), value("cpu.max")) == ("39", "50000 100000")
    group.update({"memory": {"limit": 32 << 20}, "pids": {"limit": -1}})
    assert (value("memory.max"), value("pids.max")) == (str(32 << 20), "max")


def test_a_refused_value_leaves_no_group(make: Make, low: Any) -> None:
    group = make(cpu={"cpus": "4000"})
    with pytest.raises(OSError):
        group.create()
    assert not group.exists()


def test_an_oom_kill_is_told(make: Make, start_in: Any) -> None:
    group = make(memory={"limit": 8 << 20, "swap": 8 << 20})
    group.create()
    event = group.oom_fd()
    hog = start_in(group, "tail", "/dev/zero")
    assert hog.wait() == -9
    import select

    assert select.select([event], [], [], 10)[0]
    assert group.oom_kills() == 1
    os.close(event)


def test_the_device_program_is_taken_by_the_kernel_and_replaced(make: Make, low: Any) -> None:
    if not low.host.unified:
        pytest.skip("no cgroup v2 hierarchy on this host")
    group = make("v2", devices=DENY)
    group.create()
    join = f"echo $$ > {group.directory()}/cgroup.procs"
    script = f"{join}; head -c1 /dev/zero >/dev/null && echo null; (: < /dev/kmsg) 2>/dev/null || echo refused"
    assert subprocess.run(["sh", "-c", script], capture_output=True, text=True).stdout.split() == ["null", "refused"]
    group.update({"devices": [{"allow": True, "type": "a", "access": "rwm"}]})
    assert subprocess.run(["sh", "-c", script], capture_output=True, text=True).stdout.split() == ["null"]


def test_a_whole_start_on_v2(low: Any) -> None:
    """Only where all controllers are v1 does this need the hybrid's empty hierarchy; the path of the code is the same."""
    if not low.host.unified:
        pytest.skip("no cgroup v2 hierarchy on this host")
    low.host.cgroup_mounts = {}
    assert low.host.cgroup_mode == "v2"
    result = low.run_all(
        low.plan("sh", "-c", "mount | grep cgroup; cat /proc/self/cgroup | grep ^0; echo ready; sleep 60"),
        execs=[low.spec("cat", "/proc/self/cgroup")["process"]],
        kill=True,
        ready=True,
    )
    assert "type cgroup2 (ro,nosuid,nodev,noexec" in result["results"][0]["stdout"]
    assert result["results"][0]["stdout"].splitlines()[-2] == "0::/"
    assert "0::/exec-x0" in result["results"][1]["stdout"]
