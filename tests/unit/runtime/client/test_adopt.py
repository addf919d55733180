"""What a daemon makes of a shim's files when nobody listens."""

import errno
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from argosy.runtime.client import adopt
from argosy.runtime.client.directory import Directories
from argosy.runtime.exitrecord import SHIM, START, boot_id, start_time, write_json

ID = "a" * 64
GROUP: dict[str, Any] = {"mode": "v2", "manager": "cgroupfs", "mounts": {}, "unified": "/nonexistent", "path": "/x", "resources": {}}


@pytest.fixture
def directories(tmp_path: Path) -> Directories:
    found = Directories(str(tmp_path))
    write_json(found.make(ID), START, {"attempt": "7", "cgroup": GROUP, "terminal": False})
    return found


def _record(directories: Directories, pid: int, started: int) -> None:
    write_json(directories.path(ID), SHIM, {"attempt": "7", "shim": pid, "shim_start": started, "boot_id": boot_id()})


async def test_a_shim_that_was_gone_before_it_was_noted_is_dead(directories: Directories) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    _record(directories, gone.pid, 0)
    found = await adopt.find(directories, ID)
    assert isinstance(found, adopt.Ended)
    assert found.dead


async def test_a_shim_that_is_being_reaped_is_dead(directories: Directories, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Linux before 6.9 tells of it."""

    def being_reaped(pid: int) -> int:
        raise OSError(errno.EINVAL, "Invalid argument")

    _record(directories, os.getpid(), start_time(os.getpid()))
    monkeypatch.setattr(os, "pidfd_open", being_reaped)
    found = await adopt.find(directories, ID)
    assert isinstance(found, adopt.Ended)
    assert found.dead


async def test_a_shim_that_is_stuck_is_killed_and_nobody_else(directories: Directories, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adopt, "_PATIENCE", 0.0)
    with subprocess.Popen(["sleep", "100"]) as stuck, subprocess.Popen(["sleep", "100"]) as other:
        try:
            _record(directories, other.pid, start_time(other.pid) + 1)
            await adopt.find(directories, ID)
            assert other.poll() is None
            _record(directories, stuck.pid, start_time(stuck.pid))
            await adopt.find(directories, ID)
            assert stuck.wait(10) == -9
        finally:
            stuck.kill()
            other.kill()
