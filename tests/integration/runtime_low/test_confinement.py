"""What a program finds around itself."""

from typing import Any

from argosy.runtime.compile import compile_exec


def status(text: str) -> dict[str, str]:
    return {key: value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}


def test_rights_are_dockers_default(low: Any) -> None:
    found = low.status()
    assert found["CapEff"] == found["CapPrm"] == found["CapBnd"] == "00000000a80425fb"
    assert found["CapInh"] == found["CapAmb"] == "0000000000000000"
    assert found["Seccomp"] == "2"
    assert found["SigIgn"] == found["SigBlk"] == "0000000000000000"
    assert found["Umask"] == "0022"
    assert found["Groups"] == "0"


def test_an_exec_has_the_same_rights(low: Any) -> None:
    plan = low.plan("sleep", "60")
    process = low.spec("cat", "/proc/self/status")["process"]
    found = status(low.run_all(plan, execs=[process], kill=True)["results"][1]["stdout"])
    assert found["CapEff"] == found["CapBnd"] == "00000000a80425fb"
    assert (found["Seccomp"], found["SigIgn"], found["SigBlk"]) == ("2", "0000000000000000", "0000000000000000")


def test_only_three_fds_are_open(low: Any) -> None:
    listing = "i=0; while [ $i -lt 64 ]; do [ -e /proc/$$/fd/$i ] && echo $i; i=$((i+1)); done"
    plan = low.plan("sh", "-c", listing + "; sleep 60")
    process = low.spec("sh", "-c", listing)["process"]
    for result in low.run_all(plan, execs=[process], kill=True)["results"]:
        assert result["stdout"].split() == ["0", "1", "2"]


def test_a_user_namespace_of_its_own_is_refused(low: Any) -> None:
    result = low.run("unshare", "-U", "true")
    assert result["status"] != 0
    assert "Operation not permitted" in result["stderr"]


def test_nothing_in_proc_sys_can_be_written(low: Any) -> None:
    tries = "find /proc/sys -type f 2>/dev/null | while read f; do (: >> $f) 2>/dev/null && echo $f; done"
    assert low.sh(tries + "; (: > /proc/sysrq-trigger) 2>/dev/null && echo trigger; true") == ""


def test_masked_paths_show_nothing(low: Any) -> None:
    assert (
        low.sh("cat /proc/keys /proc/timer_list /proc/interrupts; ls /proc/acpi /sys/firmware 2>/dev/null | grep -v :; true").strip() == ""
    )
    assert low.run("sh", "-c", "> /proc/acpi/x")["status"] != 0


def test_mounts_are_as_docker_makes_them(low: Any) -> None:
    points = {line.split()[2]: line.split()[5] for line in low.sh("mount").splitlines()}
    assert points["/proc"].startswith("(rw,nosuid,nodev,noexec")
    assert points["/sys"].startswith("(ro,")
    assert points["/dev"].startswith("(rw,nosuid")
    assert "noexec" not in points["/dev"]
    for path in ("/proc/bus", "/proc/sys", "/proc/irq"):
        assert points[path].startswith("(ro,")
    assert not [point for point in points if str(low.scratch) in point]


def test_nodes_and_links_of_dev(low: Any) -> None:
    assert low.sh("stat -c '%n %F %t:%T %a' /dev/null /dev/zero /dev/full /dev/tty /dev/random /dev/urandom").splitlines() == [
        f"/dev/{name} character special file {numbers} 666"
        for name, numbers in (("null", "1:3"), ("zero", "1:5"), ("full", "1:7"), ("tty", "5:0"), ("random", "1:8"), ("urandom", "1:9"))
    ]
    assert low.sh("readlink /dev/fd; readlink /dev/stdout; readlink /dev/ptmx").split() == ["/proc/self/fd", "/proc/self/fd/1", "pts/ptmx"]


def test_devices_outside_the_rules_cannot_be_opened(low: Any) -> None:
    memory = "mknod /tmp/m c 1 1 && dd if=/tmp/m of=/dev/null count=1 2>&1"
    output = low.sh(memory + "; mknod /tmp/z c 1 5 && dd if=/tmp/z of=/dev/null count=1 2>/dev/null && echo zero")
    assert "Operation not permitted" in output
    assert "zero" in output


def test_names_and_processes_are_its_own(low: Any) -> None:
    assert low.sh("hostname").strip() == "c1"
    assert low.sh("echo $$; cd /proc; echo [0-9]*").split() == ["1", "1"]


def test_the_session_and_its_keyring_are_its_own(low: Any) -> None:
    assert low.sh("cut -d' ' -f1,5,6 /proc/self/stat; cut -d' ' -f1,5,6 /proc/1/stat").splitlines()[1] == "1 1 1"


def test_no_new_privileges_when_asked(low: Any) -> None:
    found = low.status(process={"noNewPrivileges": True})
    assert (found["NoNewPrivs"], found["Seccomp"]) == ("1", "2")


def test_unconfined_means_no_filter(low: Any) -> None:
    assert low.status(seccomp=False)["Seccomp"] == "0"


def test_another_user_has_no_effective_rights(low: Any) -> None:
    found = low.status(process={"user": {"username": "bob"}})
    assert (found["CapEff"], found["CapBnd"]) == ("0000000000000000", "00000000a80425fb")
    assert found["Uid"].split() == ["1000"] * 4
    assert found["Groups"] == "1000 2000"


def test_ambient_rights_reach_another_user(low: Any) -> None:
    sets = {name: ["CAP_NET_BIND_SERVICE"] for name in ("bounding", "effective", "permitted", "inheritable", "ambient")}
    found = low.status(process={"user": {"uid": 1000, "gid": 1000}, "capabilities": sets})
    assert found["CapEff"] == found["CapAmb"] == f"{1 << 10:016x}"


def test_a_container_sees_nothing_of_its_makers_memory(low: Any) -> None:
    """A process of the container looks at every other one while execs come and go; what it may read is its own kind only."""
    show = "head -c 1 $p/environ 2>/dev/null | grep -q . && tr '\\0' ' ' < $p/cmdline && echo"
    plan = low.plan("sh", "-c", f"while :; do for p in /proc/[0-9]*; do {show}; done; done")
    process = low.spec("true")["process"]
    seen = low.run_all(plan, execs=[process] * 30, kill=True)["results"][0]["stdout"]
    assert "python" not in seen


def test_compiling_an_exec_needs_the_start_plan_alone(low: Any) -> None:
    assert compile_exec({"args": ["x"], "cwd": "/"}, low.plan("x"), exec_id="e")["cgroup"]["path"].startswith(low.parent)
