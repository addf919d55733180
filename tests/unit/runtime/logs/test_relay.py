"""The shim's part of a log that is sent away: who waits, what is dropped, what the copy holds."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from argosy.runtime.logs import relay
from argosy.runtime.logs.lazy import LazyLog
from argosy.runtime.logs.open import open_writer
from argosy.runtime.logs.sender import lines_of
from argosy.runtime.shim.loop import Loop

LINE = b"x" * 1000 + b"\n"


class Senders:
    """Stands for the processes: keeps the ends of the pipes that they would read."""

    def __init__(self) -> None:
        self.pipes: list[int] = []

    def __call__(self, work: object, ended: object, keep: int) -> None:
        self.pipes.append(os.dup(keep))

    def read(self, number: int = -1) -> bytes:
        """Return what waits in a pipe."""
        os.set_blocking(self.pipes[number], False)
        found = b""
        try:
            while data := os.read(self.pipes[number], 1 << 20):
                found += data
        except BlockingIOError:
            pass
        return found


@pytest.fixture
def senders() -> Iterator[Senders]:
    made = Senders()
    yield made
    for pipe in made.pipes:
        os.close(pipe)


@pytest.fixture
def loop() -> Loop:
    return Loop()


def writer(tmp_path: Path, senders: Senders, loop: Loop, driver: str = "syslog", **options: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in options.items()}
    return open_writer({"driver": driver, "path": str(tmp_path / "copy"), "options": named}, senders, loop)


def test_the_sender_and_the_copy_get_the_same(tmp_path: Path, senders: Senders, loop: Loop) -> None:
    log = writer(tmp_path, senders, loop)
    log.write(1, b"one\ntw")
    log.write(2, b"bad\n")
    log.end(1)
    log.close()
    sent = senders.read()
    assert [(stream, partial, text) for stream, partial, _, text in lines_of(sent)[0]] == [
        (1, False, b"one"),
        (2, False, b"bad"),
        (1, True, b"tw"),
    ]
    assert (tmp_path / "copy").read_bytes() == sent


def test_no_copy_when_it_is_switched_off(tmp_path: Path, senders: Senders, loop: Loop) -> None:
    log = writer(tmp_path, senders, loop, cache_disabled="true")
    log.write(1, b"one\n")
    log.close()
    assert lines_of(senders.read())[0]
    assert not (tmp_path / "copy").exists()


def test_a_server_that_is_slow_makes_the_program_wait_and_nothing_is_lost(tmp_path: Path, senders: Senders, loop: Loop) -> None:
    log = writer(tmp_path, senders, loop)
    told: list[bool] = []
    log.drained = lambda: told.append(True)
    count = 0
    while not log.full:
        log.write(1, LINE)
        count += 1
    got = b""
    while log.full:
        got += senders.read()
        loop.step(0)
    assert told == [True]
    for _ in range(10):
        loop.step(0)
        got += senders.read()
    assert len(lines_of(got)[0]) == count
    assert log.lost == 0
    log.close()


@pytest.mark.parametrize(
    ("driver", "options"),
    [
        ("syslog", {"mode": "non-blocking", "max_buffer_size": "100k"}),
        ("fluentd", {"fluentd_async": "true", "fluentd_buffer_limit": "200k"}),
    ],
)
def test_nobody_waits_where_that_was_asked_for(tmp_path: Path, senders: Senders, loop: Loop, driver: str, options: dict[str, str]) -> None:
    log = writer(tmp_path, senders, loop, driver, **options)
    for _ in range(5000):
        log.write(1, LINE)
    assert not log.full
    assert log.lost > 0
    bound = 100 << 10 if "mode" in options else 200 << 10
    assert log._queued <= bound
    log.close()


def test_a_sender_that_was_killed_is_made_again(tmp_path: Path, senders: Senders, loop: Loop) -> None:
    log = writer(tmp_path, senders, loop)
    log.write(1, b"one\n")
    os.close(senders.pipes.pop())
    log.write(1, b"two\n")
    log.write(1, b"three\n")
    assert [text for *_, text in lines_of(senders.read())[0]] == [b"three"]
    assert log.lost > 0
    log.close()


def test_what_is_left_at_the_end_is_written_by_another_process(tmp_path: Path, senders: Senders, loop: Loop, monkeypatch: Any) -> None:
    log = writer(tmp_path, senders, loop)
    while not log.full:
        log.write(1, LINE)
    works: list[Any] = []
    log._fork = lambda work, ended, keep: works.append(keep)
    log.close()
    assert len(works) == 1
    assert log._queued > relay.BOUND


def test_the_lazy_log_tells_of_the_writer_that_it_opens(tmp_path: Path, senders: Senders, loop: Loop) -> None:
    log = LazyLog({"driver": "syslog", "path": str(tmp_path / "copy")}, senders, loop)
    told: list[bool] = []
    log.drained = lambda: told.append(True)
    assert not log.full and log.unrecorded(1) == b""
    while not log.full:
        log.write(1, LINE)
    while log.full:
        senders.read()
        loop.step(0)
    assert told == [True]
    log.close()
