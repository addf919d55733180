"""Rotation keeps every record that the limits allow, whole and in order."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy.runtime.logs.rotate import RotatingFile, compress_for


class Forks:
    """Runs a child's work at once, or holds it until told to."""

    def __init__(self) -> None:
        self.held: list[tuple[Callable[[], None], Callable[[int], None]]] = []
        self.hold = False

    def __call__(self, work: Callable[[], None], ended: Callable[[int], None], keep: int) -> None:
        fd = os.dup(keep)
        if self.hold:
            self.held.append((work, ended))
            os.close(fd)
            return
        nice, os.nice = os.nice, lambda by: 0  # type: ignore[assignment]
        try:
            work()
        finally:
            os.nice = nice
        os.close(fd)
        ended(0)


def make(path: Path, **changes: object) -> tuple[RotatingFile, Forks]:
    forks = Forks()
    options = {"limit": 100, "files": 3, "compress": False, "fork": forks, **changes}
    return RotatingFile(str(path / "log"), **options), forks  # type: ignore[arg-type]


def names(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.iterdir())


def test_files_shift_and_the_oldest_goes(tmp_path: Path) -> None:
    file, _ = make(tmp_path)
    for number in range(60):
        file.append(b"record %02d\n" % number)
    assert names(tmp_path) == ["log", "log.1", "log.2"]
    text = b"".join((tmp_path / name).read_bytes() for name in ("log.2", "log.1", "log"))
    assert text.endswith(b"record 59\n")
    records = text.splitlines()
    assert [int(record[-2:]) for record in records] == list(range(60 - len(records), 60))


def test_large_block_is_cut_between_records_at_the_limit(tmp_path: Path) -> None:
    file, _ = make(tmp_path, files=100)
    file.append(b"".join(b"record %03d\n" % number for number in range(100)))
    sizes = [(tmp_path / name).stat().st_size for name in names(tmp_path) if name != "log"]
    assert set(sizes) == {110}  # the record that reaches the limit still goes in, as Docker's


def test_one_file_is_truncated(tmp_path: Path) -> None:
    file, _ = make(tmp_path, files=1)
    for number in range(30):
        file.append(b"record %02d\n" % number)
    assert names(tmp_path) == ["log"]
    assert (tmp_path / "log").read_bytes().endswith(b"record 29\n")
    assert (tmp_path / "log").stat().st_size <= 110


def test_no_limit_means_no_rotation(tmp_path: Path) -> None:
    file, _ = make(tmp_path, limit=-1)
    for _ in range(100):
        file.append(b"record\n")
    assert names(tmp_path) == ["log"]


def test_rotated_files_are_compressed(tmp_path: Path) -> None:
    file, _ = make(tmp_path, compress=True, files=4)
    for number in range(40):
        file.append(b"record %02d\n" % number)
    assert names(tmp_path) == ["log", "log.1.gz", "log.2.gz", "log.3.gz"]
    text = b"".join(gzip.decompress((tmp_path / f"log.{number}.gz").read_bytes()) for number in (3, 2, 1))
    text += (tmp_path / "log").read_bytes()
    assert [int(record[-2:]) for record in text.splitlines()] == list(range(40))


def test_result_of_a_slow_compression_follows_its_file(tmp_path: Path) -> None:
    file, forks = make(tmp_path, compress=True, files=4)
    forks.hold = True
    for number in range(25):
        file.append(b"record %02d\n" % number)
    assert names(tmp_path) == ["log", "log.1", "log.2"]
    (tmp_path / "log.tmp.gz").write_bytes(gzip.compress((tmp_path / "log.2").read_bytes()))
    forks.held[0][1](0)
    assert names(tmp_path) == ["log", "log.1", "log.2.gz"]


def test_failed_compression_leaves_the_plain_file(tmp_path: Path) -> None:
    file, forks = make(tmp_path, compress=True)
    forks.hold = True
    for _ in range(15):
        file.append(b"record 0\n")
    (tmp_path / "log.tmp.gz").write_bytes(b"half")
    forks.held[0][1](9)
    assert names(tmp_path) == ["log", "log.1"]


def test_leftover_of_a_dead_shim_is_removed(tmp_path: Path) -> None:
    (tmp_path / "log.tmp.gz").write_bytes(b"half")
    (tmp_path / "log").write_bytes(b"before\n")
    file, _ = make(tmp_path)
    file.append(b"after\n")
    assert (tmp_path / "log").read_bytes() == b"before\nafter\n"
    assert names(tmp_path) == ["log"]


def test_full_disk_costs_whole_records_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, _ = make(tmp_path, limit=-1)
    file.append(b"kept\n")
    write = os.write
    calls = iter([3])

    def short(fd: int, data: memoryview) -> int:
        for size in calls:
            return write(fd, data[:size])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", short)
    file.append(b"lost record\n")
    monkeypatch.undo()
    file.append(b"kept too\n")
    assert (tmp_path / "log").read_bytes() == b"kept\nkept too\n"
    assert file.lost == len(b"lost record\n")


def test_binary_frames_are_never_cut(tmp_path: Path) -> None:
    file, _ = make(tmp_path, binary=True, header=b"HEAD", files=50)
    for _ in range(20):
        file.append(b"x" * 70)
    assert {(tmp_path / name).stat().st_size for name in names(tmp_path) if name != "log"} == {144}
    assert all((tmp_path / name).read_bytes().startswith(b"HEAD") for name in names(tmp_path))


def test_a_compression_that_outlives_its_shim_puts_the_result_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("log", b"three\n"), ("log.1", b"two\n"), ("log.2", b"one\n")):
        (tmp_path / name).write_bytes(text)
    monkeypatch.setattr("argosy.runtime.logs.rotate.os.nice", lambda by: 0)
    # When it began the file was the newest of the old ones.
    source = os.open(tmp_path / "log.2", os.O_RDONLY)
    compress_for(os.getpid(), source, str(tmp_path / "log"))
    os.close(source)
    assert names(tmp_path) == ["log", "log.1", "log.2.gz"]
    assert gzip.decompress((tmp_path / "log.2.gz").read_bytes()) == b"one\n"
