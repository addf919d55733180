"""A log that is opened by the first output."""

from pathlib import Path
from typing import Any

from argosy.runtime.logs.lazy import LazyLog

NO_LOOP: Any = None


def _log(path: Path) -> LazyLog:
    return LazyLog({"driver": "json-file", "path": str(path)}, lambda work, ended, keep: None, NO_LOOP)


def test_silence_opens_nothing(tmp_path: Path) -> None:
    log = _log(tmp_path / "log")
    log.end(1)
    log.close()
    assert list(tmp_path.iterdir()) == []
    assert log.lost == 0


def test_output_is_written_in_order(tmp_path: Path) -> None:
    log = _log(tmp_path / "log")
    log.write(1, b"one\n")
    log.write(2, b"two")
    log.end(2)
    log.close()
    lines = (tmp_path / "log").read_text().splitlines()
    assert [line.split('"time"')[0] for line in lines] == ['{"log":"one\\n","stream":"stdout",', '{"log":"two","stream":"stderr",']


def test_what_cannot_be_opened_is_counted_and_tried_again(tmp_path: Path) -> None:
    log = _log(tmp_path / "absent/log")
    log.write(1, b"gone\n")
    assert log.lost == 5
    (tmp_path / "absent").mkdir()
    log.write(1, b"kept\n")
    log.close()
    assert log.lost == 5
    assert "kept" in (tmp_path / "absent/log").read_text()
