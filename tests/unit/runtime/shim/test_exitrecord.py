"""Records on the exec root."""

import os
from pathlib import Path

from argosy.runtime.exitrecord import boot_id, discard, exit_code, read_json, start_time, write_json


def test_record_is_whole_or_absent(tmp_path: Path) -> None:
    assert read_json(str(tmp_path), "exit.json") is None
    write_json(str(tmp_path), "exit.json", {"exit_code": 3})
    assert read_json(str(tmp_path), "exit.json") == {"exit_code": 3}
    assert [entry.name for entry in tmp_path.iterdir()] == ["exit.json"]
    (tmp_path / "exit.json").write_text("{ha")
    assert read_json(str(tmp_path), "exit.json") is None
    discard(str(tmp_path), "exit.json")
    discard(str(tmp_path), "exit.json")


def test_exit_codes_are_dockers() -> None:
    assert exit_code(7 << 8) == 7
    assert exit_code(9) == 137
    assert exit_code(11 | 0x80) == 139


def test_a_process_is_known_by_its_start_time() -> None:
    assert start_time(os.getpid()) > 0
    assert start_time(2**22 + 1) == 0
    assert len(boot_id()) == 36
