"""AppArmor in Debian's kernel: the default profile is loaded, used, and refuses what it should."""

import subprocess

import pytest

from support.daemon import Daemon
from vm.inside.using import begin, inside, inspect, refusal, remove, run

CURRENT = "cat /proc/self/attr/current"
# Bounds of other kinds off, so that it is the profile that refuses.
BARE = ["--security-opt", "seccomp=unconfined", "--security-opt", "systempaths=unconfined", "--cap-add", "ALL", "-v", "/sys:/sys"]
UNCONFINED = ["--security-opt", "apparmor=unconfined"]


@pytest.fixture(scope="module")
def other() -> str:
    """A profile of an administrator's own that forbids one file."""
    text = "profile one-of-ours flags=(attach_disconnected) { file, network, capability, signal, deny /etc/passwd r, }"
    subprocess.run(["apparmor_parser", "-Kr"], input=text, text=True, check=True)
    return "one-of-ours"


def test_it_is_loaded_and_told(daemon: Daemon) -> None:
    assert "name=apparmor" in daemon.api("GET", "/info")["SecurityOptions"]
    assert "AppArmor" not in str(daemon.api("GET", "/info")["Warnings"])
    assert run(daemon, "busybox", "sh", "-c", CURRENT) == "argosy-default (enforce)"
    with open("/sys/kernel/security/apparmor/profiles") as file:
        assert "argosy-default (enforce)\n" in file


def test_inspect_names_it_after_the_first_start(daemon: Daemon) -> None:
    made = daemon.api("POST", "/containers/create?name=named", {"Image": "busybox", "Cmd": ["sleep", "600"]})["Id"]
    assert inspect(daemon, made)["AppArmorProfile"] == ""
    daemon.api("POST", "/containers/named/start")
    assert inspect(daemon, made)["AppArmorProfile"] == "argosy-default"
    assert inside(daemon, "named", CURRENT) == "argosy-default (enforce)"
    assert daemon.argosy("exec", "--privileged", "named", "sh", "-c", CURRENT).stdout == "unconfined\n"
    remove(daemon, "named")


def test_another_or_none_by_security_opt(daemon: Daemon, other: str) -> None:
    assert run(daemon, *UNCONFINED, "busybox", "sh", "-c", CURRENT) == "unconfined"
    assert run(daemon, "--privileged", "busybox", "sh", "-c", CURRENT) == "unconfined"
    own = ["--security-opt", f"apparmor={other}"]
    assert run(daemon, *own, "busybox", "sh", "-c", CURRENT) == "one-of-ours (enforce)"
    assert "Permission denied" in refusal(daemon, *own, "busybox", "cat", "/etc/passwd")
    made = begin(daemon, "own", *own, "busybox", "sleep", "600")
    assert made["AppArmorProfile"] == other and made["HostConfig"]["SecurityOpt"] == [f"apparmor={other}"]
    assert inside(daemon, "own", CURRENT) == "one-of-ours (enforce)"
    remove(daemon, "own")


def test_a_profile_that_is_not_loaded_is_named(daemon: Daemon) -> None:
    told = refusal(daemon, "--security-opt", "apparmor=no-such-profile", "busybox", "true")
    assert "apparmor" in told and "no-such-profile" in told and "no such file or directory" in told.lower()


@pytest.mark.parametrize(
    "script",
    [
        "mount -t tmpfs none /mnt",
        "mount -o remount,rw /",
        "mount --bind /etc /mnt",
        "echo h >/proc/sysrq-trigger",
        "echo x >/proc/sys/kernel/core_pattern",
        "echo 1 >/proc/sys/vm/drop_caches",
        "head -c 1 /proc/kcore",
        "echo x >/sys/kernel/mm/transparent_hugepage/enabled",
        "head -c 1 /sys/kernel/security/apparmor/profiles",
    ],
)
def test_it_refuses_to_a_root_with_every_capability(script: str, daemon: Daemon) -> None:
    words = [*BARE, "busybox", "sh", "-c", f"mkdir -p /mnt; {script}"]
    assert "denied" in refusal(daemon, *words).lower()


def test_without_it_the_same_root_may(daemon: Daemon) -> None:
    """So that the test above is one of the profile."""
    script = "mkdir /mnt; mount -t tmpfs none /mnt && echo 1 >/proc/sys/vm/drop_caches && echo may"
    assert run(daemon, *BARE, *UNCONFINED, "busybox", "sh", "-c", script).endswith("may")


def test_the_usual_still_works(daemon: Daemon) -> None:
    script = "echo 5 >/proc/self/oom_score_adj && ip link show lo >/dev/null"
    script += " && chown 33 /etc/hosts && su -s /bin/sh nobody -c 'kill -0 $$' && echo fine"
    assert run(daemon, "busybox", "sh", "-c", script) == "fine"
    assert run(daemon, "--sysctl", "kernel.shmmax=1234567", "busybox", "cat", "/proc/sys/kernel/shmmax") == "1234567"
    assert run(daemon, "-v", "/etc:/host:ro", "--tmpfs", "/t", "--read-only", "busybox", "sh", "-c", "echo x >/t/x && cat /t/x") == "x"


def test_ptrace_and_signals_end_at_the_profile(daemon: Daemon) -> None:
    """A container with the host's processes in sight: it may look at and signal its like, not the host's."""
    begin(daemon, "mate", "busybox", "sleep", "600")
    pid = inspect(daemon, "mate")["State"]["Pid"]
    sight = ["--pid", "host", *BARE, "busybox", "sh", "-c"]
    assert "denied" in refusal(daemon, *sight, "kill -0 1").lower()
    assert "denied" in refusal(daemon, *sight, "readlink /proc/1/cwd && exit 0; readlink -f /proc/1/cwd; echo denied >&2; exit 1").lower()
    assert run(daemon, *sight, f"kill -0 {pid} && readlink /proc/{pid}/cwd") == "/"
    remove(daemon, "mate")


@pytest.mark.parametrize("user", ["0", "33"])
def test_the_init_that_stays_is_confined_like_the_program(user: str, daemon: Daemon) -> None:
    script = "trap 'kill $child; echo ended' TERM; sleep 600 & child=$!; cat /proc/1/attr/current; kill -TERM 1; wait; wait"
    lines = run(daemon, "--init", "-u", user, "busybox", "sh", "-c", script).splitlines()
    # The program is another user's process, undumpable, but of the same profile.
    assert lines[0] == "argosy-default (enforce)" and lines[-1] == "ended"


def test_stop_kill_and_top_reach_a_confined_container(daemon: Daemon) -> None:
    begin(daemon, "reached", "busybox", "sh", "-c", "trap 'exit 7' TERM; while :; do sleep 0.1; done")
    assert daemon.argosy("top", "reached").returncode == 0
    daemon.api("POST", "/containers/reached/stop?t=60", timeout=120)
    assert inspect(daemon, "reached")["State"]["ExitCode"] == 7
    remove(daemon, "reached")


def test_what_was_unloaded_meanwhile_is_loaded_for_the_next_start(daemon: Daemon) -> None:
    subprocess.run(["apparmor_parser", "-R"], input="profile argosy-default { }", text=True, check=True)
    assert run(daemon, "busybox", "sh", "-c", CURRENT) == "argosy-default (enforce)"
