"""Images that mean harm."""

import os
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

TRAP = "import os\nopen('/trapped', 'w').close()\n"


def test_no_module_or_library_of_the_image_runs_with_the_hosts_rights(low: Any) -> None:
    """Traps on every path that the host's interpreter could look at, under every name that it might want."""
    folders = {
        path
        for path in [*sys.path, sysconfig.get_path("stdlib"), "/usr/lib/python3", "/usr/local/lib/python3.11/encodings"]
        if path.startswith("/")
    }
    folders |= {os.path.join(sysconfig.get_path("stdlib"), name) for name in ("encodings", "lib-dynload", "json", "ctypes")}
    for folder in folders:
        inside = low.root / folder.lstrip("/")
        inside.mkdir(parents=True, exist_ok=True)
        for name in (
            "sitecustomize",
            "usercustomize",
            "traceback",
            "warnings",
            "utf_8",
            "idna",
            "latin_1",
            "pwd",
            "grp",
            "linecache",
            "re",
            "__init__",
        ):
            (inside / f"{name}.py").write_text(TRAP)
    for folder in ("lib", "lib64", "usr/lib", "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"):
        (low.root / folder).mkdir(parents=True, exist_ok=True)
        for name in ("libnss_files.so.2", "libnss_compat.so.2", "libc.so.6", "libseccomp.so.2"):
            (low.root / folder / name).write_bytes(b"\x7fELF trap")
    (low.root / "etc/nsswitch.conf").write_text("passwd: compat files\n")
    for changes in ({}, {"process": {"user": {"username": "bob"}}}, {"process": {"terminal": True}}, {"options": {"init": True}}):
        assert low.run("true", **changes)["status"] == 0
    for changes in ({"process": {"user": {"username": "\udcff"}}}, {"process": {"cwd": "/etc/passwd"}}):
        assert "failed" in low.run("\udcff\u20ac", **changes)
    plan = low.plan("sleep", "60")
    execs = [low.spec("true")["process"], low.spec("n\u00f6", process={"user": {"username": "nobody-\u20ac"}})["process"]]
    assert low.run_all(plan, execs=execs, kill=True)["results"][1]["status"] == 0
    assert not list(low.scratch.glob("upper*/trapped"))


def test_a_link_for_proc_or_sys_is_refused(low: Any) -> None:
    for name in ("proc", "sys"):
        (low.root / name).symlink_to("/tmp")
        assert "must be a plain directory" in low.run("true")["failed"][2]
        (low.root / name).unlink()


def test_a_link_for_dev_leads_nowhere_outside(low: Any, tmp_path: Path) -> None:
    (low.root / "dev").symlink_to(tmp_path)
    result = low.run("sh", "-c", "ls -ld /dev/null")
    assert list(tmp_path.iterdir()) == []
    assert "failed" in result or result["status"] == 0


def test_destinations_stay_inside_whatever_links_say(low: Any, tmp_path: Path) -> None:
    source = low.scratch / "source"
    source.mkdir()
    (low.root / "abs").symlink_to(tmp_path)
    (low.root / "up").symlink_to("../../../../../../" + str(tmp_path))
    for to in ("/abs/x", "/up/x", "/../../../etc/x"):
        mounts = [*low.spec()["mounts"], {"destination": to, "type": "bind", "source": str(source), "options": ["bind"]}]
        low.run("true", mounts=mounts)
    assert list(tmp_path.iterdir()) == []
    assert not os.path.exists("/etc/x")


@pytest.mark.parametrize("to", ["/data", "/proc/self/attr", "/proc/sys", "/proc/1"])
def test_nothing_is_mounted_over_procs_own_files(low: Any, to: str) -> None:
    (low.root / "data").symlink_to("/proc/sys/kernel")
    source = low.scratch / "source"
    source.mkdir(exist_ok=True)
    mounts = [*low.spec()["mounts"], {"destination": to, "type": "bind", "source": str(source), "options": ["bind"]}]
    assert "/proc" in low.run("true", mounts=mounts)["failed"][2]


def test_a_null_device_that_is_a_link_never_covers_what_it_points_to(low: Any) -> None:
    """CVE-2025-31133: without a /dev of its own the image's own /dev/null would be bound over the masked files."""
    (low.root / "dev").mkdir()
    (low.root / "dev/null").symlink_to("/proc/sys/kernel/core_pattern")
    mounts = [mount for mount in low.spec()["mounts"] if not mount["destination"].startswith("/dev")]
    assert "is not the null device" in low.run("true", mounts=mounts)["failed"][2]


@pytest.mark.parametrize("cwd", ["/proc/self/fd/7", "/proc/self/fd/3", "/proc/self/fd/10/../../.."])
def test_a_working_directory_behind_a_leaked_fd_is_refused(low: Any, cwd: str) -> None:
    """CVE-2024-21626."""
    assert "failed" in low.run("sh", "-c", "pwd; ls /", process={"cwd": cwd})
    execs = [low.spec("sh", "-c", "pwd", process={"cwd": cwd})["process"]]
    assert "failed" in low.run_all(low.plan("sleep", "60"), execs=execs, kill=True)["results"][1]


def test_a_console_that_is_a_link_covers_nothing(low: Any) -> None:
    """CVE-2025-52565."""
    mounts = [mount for mount in low.spec()["mounts"] if mount["destination"] not in ("/dev", "/dev/shm", "/dev/mqueue")]
    (low.root / "dev/pts").mkdir(parents=True)
    (low.root / "dev/console").symlink_to("/proc/sysrq-trigger")
    result = low.run("true", mounts=mounts, process={"terminal": True}, linux={"maskedPaths": []})
    assert "failed" in result


def test_a_fifo_for_passwd_does_not_hang(low: Any) -> None:
    (low.root / "etc/passwd").unlink()
    os.mkfifo(low.root / "etc/passwd")
    assert low.run("true")["status"] == 0


def test_a_device_name_taken_by_something_else_is_refused(low: Any) -> None:
    (low.root / "evil").mkdir()
    devices = [{"path": "/evil", "type": "c", "major": 1, "minor": 3}]
    assert "is something else" in low.run("true", linux={"devices": devices})["failed"][2]
