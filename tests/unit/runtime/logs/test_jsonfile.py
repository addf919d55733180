"""Records as dockerd writes them."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.runtime.logs.jsonfile import Encoder, JsonFile, escape
from argosy.runtime.logs.stamps import STEPS, Stamps


class Memory:
    """A file that keeps what is appended."""

    def __init__(self) -> None:
        self.content = b""

    def append(self, records: bytes) -> None:
        self.content += records

    def close(self) -> None: ...


def clock(*times: int) -> Callable[[], int]:
    values = iter(times)
    last = times[-1]
    return lambda: next(values, last)


NOON = 1_700_000_000_123_456_789


@pytest.mark.parametrize(
    ("raw", "escaped"),
    [
        # Recorded from dockerd 28.5.
        (b"a<b>&c\ttab\x1b\x00", b"a\\u003cb\\u003e\\u0026c\\u0009tab\\u001b\\u0000"),
        (b"\xff\xe2\x82 x", b"\\ufffd\\ufffd\\ufffd x"),
        (b'\r\b\f\\ "q"', b'\\r\\u0008\\u000c\\\\ \\"q\\"'),
        ("é\u2028\u2029".encode(), "é\\u2028\\u2029".encode()),
        (b"C:\\new", b"C:\\\\new"),
        ("\ufffd".encode(), "\ufffd".encode()),
        (b"%s %b %%", b"%s %b %%"),
    ],
)
def test_escapes(raw: bytes, escaped: bytes) -> None:
    assert escape(raw) == escaped


@given(st.binary(max_size=300))
def test_records_read_back_as_what_came_in(data: bytes) -> None:
    encoder = Encoder("stdout", {}, Stamps())
    text = data + b"\n"
    records = [json.loads(line) for block in encoder.lines(text) for line in block.splitlines()]
    read = "".join(record["log"] for record in records)
    expected = text.decode("utf-8", "surrogateescape")
    assert read == "".join("\ufffd" if 0xDC80 <= ord(character) <= 0xDCFF else character for character in expected)


def test_one_record_exactly() -> None:
    file = Memory()
    writer = JsonFile(file, {"zz": "c", "a": "<b>"}, Stamps(clock(NOON)))  # type: ignore[arg-type]
    writer.write(1, b"hi\n")
    assert file.content == (
        b'{"log":"hi\\n","stream":"stdout","attrs":{"a":"\\u003cb\\u003e","zz":"c"},"time":"2023-11-14T22:13:20.123456789Z"}\n'
    )


def test_end_of_stream_is_a_record_without_newline() -> None:
    file = Memory()
    writer = JsonFile(file, {}, Stamps(clock(NOON)))  # type: ignore[arg-type]
    writer.write(2, b"prompt> ")
    assert file.content == b""
    writer.end(2)
    record = json.loads(file.content)
    assert (record["log"], record["stream"]) == ("prompt> ", "stderr")


@pytest.mark.parametrize("count", [1, 2, 4, 5, 100, STEPS, STEPS + 1, 40_000])
def test_stamps_increase_strictly_whatever_the_clock_does(count: int) -> None:
    file = Memory()
    writer = JsonFile(file, {"p": "100%"}, Stamps(clock(NOON, NOON, NOON - 5_000_000, NOON)))  # type: ignore[arg-type]
    for stream in (1, 2, 1, 2):
        writer.write(stream, b"%d\n" * count)
    records = [json.loads(line) for line in file.content.splitlines()]
    times = [record["time"] for record in records]
    assert len(times) == 4 * count
    assert times == sorted(set(times))
    assert all(len(time) == 30 and time[-2] != "0" for time in times)
    assert {record["log"] for record in records} == {"%d\n"}
    assert {record["attrs"]["p"] for record in records} == {"100%"}


def test_long_line_becomes_partial_records() -> None:
    file = Memory()
    writer = JsonFile(file, {}, Stamps(clock(NOON)))  # type: ignore[arg-type]
    writer.write(1, b"x" * 40000 + b"\nend\n")
    logs = [json.loads(line)["log"] for line in file.content.splitlines()]
    assert logs == ["x" * 16384, "x" * 16384, "x" * 7232 + "\n", "end\n"]
