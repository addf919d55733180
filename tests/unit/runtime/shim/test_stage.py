"""What is made before the program may run, and what is left when that fails."""

import os
import socket
from pathlib import Path

import pytest

from argosy.runtime.exitrecord import read_json, start_time
from argosy.runtime.shim.stage import StartError, set_stage
from argosy.runtime.shim.wire import close_all


class _Maker:
    def __init__(self) -> None:
        self.pid, self.master = os.getpid(), -1
        self.warnings: list[str] = []
        self.failure: StartError | None = None
        self.aborted = False
        self.stdio: tuple[int, int, int] | None = None

    def begin(self, stdio: tuple[int, int, int] | None) -> None:
        self.stdio = stdio

    def finish(self) -> None:
        if self.failure is not None:
            raise self.failure
        self.master = os.open("/dev/null", os.O_RDWR)
        self.warnings = ["one thing"]

    def abort(self) -> None:
        self.aborted = True

    def held(self) -> dict[str, int]:
        return {"plan": os.memfd_create("plan")}


def _request(directory: Path, **changes: object) -> dict[str, object]:
    return {
        "id": "c" * 64,
        "attempt": "7",
        "directory": str(directory),
        "log": {"driver": "none"},
        "terminal": False,
        "open_stdin": True,
        "stdin_once": False,
        "console_size": [0, 0],
        "preserved": {},
        "bundle": {"secret": 1},
    } | changes


def test_the_shim_gets_fds_and_a_message(tmp_path: Path) -> None:
    stage, fds = set_stage(_request(tmp_path), os.getpid(), _Maker())
    try:
        assert sorted(fds) == ["listener", "lock", "master", "plan", "stderr", "stdin", "stdout"]
        assert (stage["id"], stage["pid"], stage["warnings"]) == ("c" * 64, os.getpid(), ["one thing"])
        assert "bundle" not in stage
        record = read_json(str(tmp_path), "shim.json")
        assert record is not None
        assert (record["shim"], record["pid_start"]) == (os.getpid(), start_time(os.getpid()))
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.connect(str(tmp_path / "shim.sock"))
    finally:
        close_all(list(fds.values()))


def test_a_log_that_cannot_be_opened_is_told_before_anything_is_made(tmp_path: Path) -> None:
    maker = _Maker()
    log = {"driver": "json-file", "path": str(tmp_path / "absent/log")}
    with pytest.raises(StartError, match="failed to initialize logging driver") as caught:
        set_stage(_request(tmp_path, log=log), os.getpid(), maker)
    assert caught.value.code == 128
    assert maker.stdio is None


def test_what_fails_after_the_container_was_made_takes_it_back(tmp_path: Path) -> None:
    maker = _Maker()
    # A directory in the place of the socket cannot be replaced by it.
    (tmp_path / "shim.sock").mkdir()
    with pytest.raises(OSError):
        set_stage(_request(tmp_path), os.getpid(), maker)
    assert maker.aborted


def test_a_container_that_fails_while_it_mounts_is_taken_back(tmp_path: Path) -> None:
    maker = _Maker()
    maker.failure = StartError("no such device", 127)
    with pytest.raises(StartError, match="no such device"):
        set_stage(_request(tmp_path), os.getpid(), maker)
    assert maker.aborted
    assert read_json(str(tmp_path), "shim.json") is None
