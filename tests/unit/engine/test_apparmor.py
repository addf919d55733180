"""The default profile: what its deny rules reach, and when it is loaded."""

import asyncio
import re
from pathlib import Path

import pytest

from argosy.base.errors import SystemFailureError
from argosy.engine.platform import Machine
from argosy.engine.platform.apparmor import DEFAULT, AppArmor, is_loaded, profile


def denied(path: str, permission: str) -> bool:
    """As the parser reads globs (apparmor.d(5)): `*` within a name, `**` across them, both at least one character after a slash."""
    for pattern, letters in re.findall(r"^  deny (/\S+) (\w+),$", profile(), re.MULTILINE):
        glob = re.sub(r"\*\*|\*|\.", lambda found: {"**": ".*", "*": "[^/]*", ".": r"\."}[found[0]], pattern)
        if permission in letters and re.fullmatch(glob, path):
            return True
    return False


@pytest.mark.parametrize(
    "path",
    [
        "/proc/sysrq-trigger", "/proc/kcore", "/proc/timer_stats", "/proc/acpi/wakeup", "/proc/scsi/scsi", "/proc/sysvipc/shm",
        "/proc/irq/1/smp_affinity", "/proc/sys/vm/drop_caches", "/proc/sys/fs/binfmt_misc/register", "/proc/sys/kernel/core_pattern",
        "/proc/sys/kernel/modprobe", "/proc/sys/kernel/sysrq", "/proc/sys/kernel/keys/maxkeys", "/proc/sys/kernel/yama/ptrace_scope",
        "/sys/power/state", "/sys/kernel/uevent_helper", "/sys/fs/bpf/x", "/sys/fs/ext4/vda/trigger_fs_error", "/sys/firmware/efi/x",
        "/sys/block/vda/queue/scheduler", "/sys/devices/virtual/powercap/intel-rapl/enabled",
    ],
)  # fmt: skip
def test_what_belongs_to_the_machine_cannot_be_written(path: str) -> None:
    assert denied(path, "w")


@pytest.mark.parametrize(
    "path",
    [
        "/proc/1/oom_score_adj", "/proc/4711/attr/exec", "/proc/7/task/9/comm", "/proc/sys/kernel/shmmax", "/proc/sys/kernel/msgmnb",
        "/proc/sys/kernel/sem", "/sys/fs/cgroup/x/cgroup.procs", "/etc/passwd", "/process", "/system/x", "/dev/null",
    ],
)  # fmt: skip
def test_what_belongs_to_the_container_can(path: str) -> None:
    assert not denied(path, "w")


def test_secrets_of_the_machine_cannot_even_be_read_but_the_rest_can() -> None:
    assert all(denied(path, "r") for path in ("/proc/kcore", "/sys/firmware/acpi/tables/DSDT", "/sys/kernel/security/apparmor/profiles"))
    assert not any(denied(path, "r") for path in ("/proc/meminfo", "/proc/sys/kernel/osrelease", "/sys/block/vda/size"))


def test_the_daemon_may_signal_under_whatever_label_it_runs() -> None:
    assert "signal (receive) peer={unconfined,runc,crun}," in profile()
    assert "peer={unconfined,runc,crun,argosyd}," in profile(daemon="argosyd")
    assert profile(abi=True).startswith("abi <abi/3.0>,\n") and profile(abi=False).startswith("profile argosy-default ")


def test_a_loaded_profile_is_found_by_its_whole_name() -> None:
    assert is_loaded("x (enforce)\nargosy-default (enforce)\n")
    assert is_loaded("argosy-default (complain)\n")
    assert not is_loaded("argosy-default-2 (enforce)\nmy argosy-default (enforce)\n")


def host(root: Path, parser: str) -> AppArmor:
    """A machine whose parser is a script."""
    (root / "sys/kernel/security/apparmor").mkdir(parents=True)
    (root / "sys/kernel/security/apparmor/profiles").write_text("/usr/bin/man (enforce)\n")
    (root / "proc/self/attr").mkdir(parents=True)
    (root / "proc/self/attr/current").write_text("unconfined\n")
    program = root / "apparmor_parser"
    program.write_text(f"#!/bin/sh\n{parser}\n")
    program.chmod(0o755)
    return AppArmor(
        Machine(1, "0", "0", 1 << 30, "6.1.0", "x86_64", "Debian", "12", "vm", apparmor=True, apparmor_parser=str(program)), root
    )


def test_it_is_loaded_once_from_standard_input(tmp_path: Path) -> None:
    profiles = tmp_path / "sys/kernel/security/apparmor/profiles"
    apparmor = host(tmp_path, f'echo "$@" >>{tmp_path}/calls; cat >{tmp_path}/text; echo "{DEFAULT} (enforce)" >>{profiles}')

    async def twice() -> None:
        await asyncio.gather(apparmor.ensure(), apparmor.ensure())
        await apparmor.begin()

    asyncio.run(twice())
    assert (tmp_path / "calls").read_text() == "-Kr\n"
    assert (tmp_path / "text").read_text() == profile(abi=False)


def test_a_parser_that_fails_is_quoted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    apparmor = host(tmp_path, "cat >/dev/null; echo 'syntax error, line 7'; exit 1")
    with pytest.raises(SystemFailureError, match=r"argosy-default profile could not be loaded: .*syntax error, line 7"):
        asyncio.run(apparmor.ensure())
    asyncio.run(apparmor.begin())
    assert "syntax error" in caplog.text


def test_without_apparmor_nothing_is_asked_for(tmp_path: Path) -> None:
    asyncio.run(AppArmor(Machine(1, "0", "0", 1 << 30, "6.1.0", "x86_64", "Debian", "12", "vm"), tmp_path).ensure())
