"""Starting and ending containers."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from argosy.storage.model import Overlay

PREFIX = "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: "


@pytest.mark.parametrize(
    ("command", "words", "code"),
    [
        ("nosuch", 'unable to start container process: exec: "nosuch": executable file not found in $PATH', 127),
        ("/nosuch", 'unable to start container process: exec: "/nosuch": stat /nosuch: no such file or directory', 127),
        ("/etc/passwd", 'unable to start container process: exec: "/etc/passwd": permission denied', 126),
        ("/bin", 'unable to start container process: exec: "/bin": permission denied', 126),
    ],
)
def test_a_program_that_cannot_run_is_said_in_dockers_words(low: Any, command: str, words: str, code: int) -> None:
    assert low.run(command)["failed"][2:] == [PREFIX + words, code]


def test_a_file_of_no_known_format_fails_in_the_container(low: Any) -> None:
    (low.root / "bin/bad").write_text("no program")
    (low.root / "bin/bad").chmod(0o755)
    result = low.run("bad")
    assert (result["status"], result["stderr"]) == (255, "exec /bin/bad: exec format error\n")


def test_a_program_forbidden_to_the_user_is_forbidden(low: Any) -> None:
    (low.root / "only").mkdir(mode=0o700)
    os.link(low.root / "bin/busybox", low.root / "only/sh")
    assert low.run("/only/sh", process={"user": {"username": "bob"}})["failed"][3] == 126


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({"username": "nobody-here"}, "unable to find user nobody-here: no matching entries in passwd file"),
        ({"username": "bob:nope"}, "unable to find group nope: no matching entries in group file"),
        ({"username": "", "additionalGroups": ["nope"]}, "unable to find group nope: no matching entries in group file"),
    ],
)
def test_unknown_users_are_said_in_dockers_words(low: Any, user: dict[str, Any], words: str) -> None:
    assert low.run("true", process={"user": user})["failed"][2] == words


def test_exit_codes_and_signals_are_told(low: Any) -> None:
    assert low.run("sh", "-c", "exit 7")["status"] == 7
    results = low.run_all(low.plan("sleep", "60"), kill=True)["results"]
    assert results[0]["status"] == -9


def test_home_comes_from_passwd_unless_it_is_given(low: Any) -> None:
    assert low.sh("echo $HOME", process={"user": {"username": "bob"}}) == "/home/bob\n"
    assert low.sh("echo $HOME", process={"env": ["HOME=/x", "PATH=/bin"]}) == "/x\n"


def test_a_working_directory_is_made(low: Any) -> None:
    assert low.sh("pwd", process={"cwd": "/new/place"}) == "/new/place\n"


def test_limits_that_cannot_be_raised_are_clamped_with_a_warning(low: Any) -> None:
    result = low.run("sh", "-c", "ulimit -n", process={"rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 1 << 29}]})
    assert result["stdout"] == "1024\n"
    assert all("RLIMIT_NOFILE" in warning for warning in result["warnings"])


def test_sysctls_are_set_and_unknown_ones_refused(low: Any) -> None:
    name = "net.ipv4.ip_unprivileged_port_start"
    assert low.sh("cat /proc/sys/net/ipv4/ip_unprivileged_port_start", linux={"sysctl": {name: "7"}}) == "7\n"
    failed = low.run("true", linux={"sysctl": {"net.foo": "1"}})["failed"]
    assert failed[2].endswith("error during container init: open /proc/sys/net/foo: no such file or directory")


def test_a_read_only_root_leaves_the_mounts_in_it_writable(low: Any) -> None:
    assert low.sh("touch /x 2>&1; touch /dev/shm/x && echo ok", root={"readonly": True}).splitlines() == [
        "touch: /x: Read-only file system",
        "ok",
    ]


def test_binds_are_private_read_only_when_asked_and_made_where_missing(low: Any) -> None:
    source = low.scratch / "source"
    source.mkdir()
    (source / "file").write_text("content")
    mounts = [
        *low.spec()["mounts"],
        {"destination": "/data/deep", "type": "bind", "source": str(source), "options": ["rbind", "ro"]},
        {"destination": "/etc/one", "type": "bind", "source": str(source / "file"), "options": ["rbind"]},
    ]
    assert low.sh("cat /data/deep/file /etc/one; echo more >> /etc/one; touch /data/deep/x 2>&1; true", mounts=mounts) == (
        "contentcontenttouch: /data/deep/x: Read-only file system\n"
    )
    assert (source / "file").read_text() == "contentmore\n"


def test_a_bind_of_a_file_on_a_directory_is_said_in_dockers_words(low: Any) -> None:
    mounts = [{"destination": "/etc", "type": "bind", "source": str(low.root / "etc/passwd"), "options": ["bind"]}]
    failed = low.run("true", mounts=mounts)["failed"]
    assert "error mounting" in failed[2]
    assert failed[2].endswith("Check if the specified host path exists and is the expected type")


def test_a_missing_source_leaves_nothing(low: Any) -> None:
    assert low.run("true", mounts=[{"destination": "/x", "type": "bind", "source": "/no/such/source"}])["failed"][0] == 2


def test_a_tmpfs_takes_the_mode_of_what_it_covers_and_its_content_when_asked(low: Any) -> None:
    (low.root / "spool").mkdir(mode=0o711)
    (low.root / "spool/kept").write_text("x")
    mounts = [*low.spec()["mounts"], {"destination": "/spool", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup"]}]
    assert low.sh("stat -c %a /spool; cat /spool/kept", mounts=mounts) == "711\nx"
    mounts[-1]["options"] = ["mode=0700"]
    assert low.sh("stat -c %a /spool; ls /spool", mounts=mounts) == "700\n"


def test_init_reaps_orphans_and_keeps_the_exit_code(low: Any) -> None:
    orphans = "i=0; while [ $i -lt 30 ]; do (sleep 0 &); i=$((i+1)); done"
    settled = "while cat /proc/[0-9]*/status 2>/dev/null | grep -q 'State:.Z'; do :; done"
    result = low.run("sh", "-c", f"{orphans}; {settled}; tr '\\0' ' ' < /proc/1/cmdline; exit 5", options={"init": True})
    assert result["status"] == 5
    assert result["stdout"].startswith("/sbin/argosy-init -- sh -c ")


def test_init_ends_as_a_killed_program_does(low: Any) -> None:
    assert low.run("sh", "-c", "kill -KILL $$", options={"init": True})["status"] == 137


def test_init_passes_the_stop_signal_on(low: Any) -> None:
    plan = low.plan("sh", "-c", "trap 'exit 9' TERM; kill -TERM 1; while :; do sleep 0.05; done", options={"init": True})
    assert low.run_all(plan)["results"][0]["status"] == 9


def test_a_terminal_lies_in_the_containers_own_devpts(low: Any) -> None:
    result = low.run(
        "sh",
        "-c",
        "tty; stty size; [ /dev/console -ef /dev/pts/0 ] && echo console",
        process={"terminal": True, "consoleSize": {"height": 33, "width": 99}},
    )
    assert result["stdout"].split() == ["/dev/pts/0", "33", "99", "console"]


def test_an_exec_has_a_terminal_of_its_own_its_code_and_its_cgroup(low: Any) -> None:
    plan = low.plan("sleep", "60")
    terminal = {**low.spec("sh", "-c", "tty; stty size")["process"], "terminal": True, "consoleSize": {"height": 10, "width": 20}}
    other = low.spec("sh", "-c", "pwd; id -un; exit 4", process={"cwd": "/tmp", "user": {"username": "bob"}})["process"]
    missing = low.spec("nosuch")["process"]
    results = low.run_all(plan, execs=[terminal, other, missing], kill=True)["results"]
    assert results[1]["stdout"].split() == ["/dev/pts/0", "10", "20"]
    assert (results[2]["stdout"], results[2]["status"]) == ("/tmp\nbob\n", 4)
    assert results[3]["failed"][2:] == [
        'OCI runtime exec failed: exec failed: unable to start container process: exec: "nosuch": executable file not found in $PATH',
        127,
    ]


def test_many_execs_leave_no_fd_and_no_process(low: Any) -> None:
    answer = low.run_all(low.plan("sleep", "60"), execs=[low.spec("true")["process"]] * 100, kill=True)
    assert {result["status"] for result in answer["results"][1:]} == {0}
    assert answer["fds"] <= 4


def test_an_exec_into_a_directory_that_is_missing_says_so(low: Any) -> None:
    process = low.spec("true", process={"cwd": "/nowhere"})["process"]
    failed = low.run_all(low.plan("sleep", "60"), execs=[process], kill=True)["results"][1]["failed"]
    assert 'chdir to cwd ("/nowhere") set in config.json failed: no such file or directory' in failed[2]


def test_the_caller_dying_at_the_gate_ends_the_child(low: Any) -> None:
    import json

    plan = low.plan("sh", "-c", "echo ran > /ran")
    code = (
        "import sys, json, os; job = json.load(sys.stdin); sys.path.insert(0, job['source'])\n"
        "from argosy.runtime.spawn import spawn\n"
        "child = spawn(job['plan'], (0, 1, 2)); print(child.pid, flush=True); os._exit(0)"
    )
    source = str(Path(sys.modules["argosy"].__file__ or "").parent.parent)
    done = subprocess.run(
        [sys.executable, "-ISc", code], input=json.dumps({"source": source, "plan": plan}), capture_output=True, text=True, check=True
    )
    pid = int(done.stdout)
    while _runs(pid):
        os.sched_yield()
    assert not list(low.scratch.glob("upper*/ran"))
    from argosy.runtime.cgroups import open_group

    open_group(plan["cgroup"]).remove()


def _runs(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("plus", [True, False])
def test_forty_layers(low: Any, plus: bool) -> None:
    layers = [str(low.root)]
    for number in range(39):
        layer = low.scratch / f"layer-with-a-rather-long-name-{number:040d}"
        layer.mkdir()
        (layer / f"from{number}").write_text(str(number))
        layers.insert(0, str(layer))
    if plus and not low.host.lowerdir_plus:
        pytest.skip("this kernel has no lowerdir+")
    low.host.lowerdir_plus = plus
    base = low.overlay()
    assert (
        low.sh("cat /from0 /from38; ls -d /from* | wc -l", rootfs=Overlay(lower=tuple(layers), upper=base.upper, work=base.work))
        == "03839\n"
    )


def test_a_plain_directory_is_a_root_too(low: Any) -> None:
    assert low.sh("touch /here; echo ok", rootfs=low.directory()) == "ok\n"
    assert (low.root / "here").exists()


def test_the_root_can_be_seen_from_outside_while_it_runs(low: Any) -> None:
    assert low.sh("readlink /proc/self/root") == "/\n"
