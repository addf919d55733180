"""The json-file format: decoding, the window of time, the end of a file, and searching."""

import json
import os
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.engine.logs.jsonfile import JsonFile
from argosy.engine.logs.query import LogQuery, fixed, widen
from argosy.engine.logs.render import Renderer, frame

START = 1_700_000_000_000_000_001


def line(text, stream="stdout", number=0, attrs=None):
    entry = {"log": text, "stream": stream}
    if attrs is not None:
        entry["attrs"] = attrs
    return json.dumps(entry | {"time": fixed(START + number * 1_000_000_000)}).encode() + b"\n"


def render(piece, *, terminal=False, after="", **query):
    return JsonFile().render(piece, Renderer(LogQuery(**query), terminal=terminal), after)


def with_file(content, use):
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        return use(file.fileno(), len(content))


def test_each_line_has_a_frame_of_its_own():
    piece = line("a\n") + line("b\n", "stderr") + line("é\n")
    assert render(piece) == frame(1, b"a\n") + frame(2, b"b\n") + frame(1, "é\n".encode())


def test_a_terminals_log_has_no_frames():
    assert render(line("a\r\n") + line("b\r\n"), terminal=True) == b"a\r\nb\r\n"


def test_only_the_asked_stream_is_shown():
    piece = line("a\n") + line("b\n", "stderr")
    assert render(piece, stdout=False) == frame(2, b"b\n")
    assert render(piece, stderr=False) == frame(1, b"a\n")


def test_much_at_once_comes_in_merged_frames_with_the_same_bytes():
    lines = [line(f"{number}\n", "stderr" if number % 100 > 50 else "stdout") for number in range(2000)]
    out = render(b"".join(lines))
    streams = {1: b"", 2: b""}
    frames = 0
    while out:
        size = int.from_bytes(out[4:8], "big")
        streams[out[0]] += out[8 : 8 + size]
        out = out[8 + size :]
        frames += 1
    assert frames < 100
    assert streams[1] == b"".join(b"%d\n" % number for number in range(2000) if number % 100 <= 50)
    assert streams[2] == b"".join(b"%d\n" % number for number in range(2000) if number % 100 > 50)


def test_much_of_one_stream_is_one_frame_or_nothing():
    piece = b"".join(line(f"{number}\n") for number in range(2000))
    text = b"".join(b"%d\n" % number for number in range(2000))
    assert render(piece) == frame(1, text)
    assert render(piece, stdout=False) == b""
    assert render(piece, terminal=True) == text


@pytest.mark.parametrize("count", [1, 3000])
def test_timestamps_and_details_stand_before_the_line(count):
    piece = line("a\n", attrs={"z": "b c&d=,e", "a": "1"}) * count
    moment = fixed(START).encode()
    assert render(piece, timestamps=True).count(moment + b" a\n") == count
    assert render(piece, timestamps=True, details=True).count(moment + b" a=1,z=b+c%26d%3D%2Ce a\n") == count


def test_details_without_attributes_leave_the_blank_as_docker_does():
    assert render(line("a\n"), details=True) == frame(1, b" a\n")


def test_since_and_until_include_their_moment():
    piece = b"".join(line(f"{number}\n", number=number) for number in range(5))
    second = 1_000_000_000
    assert render(piece, since=START + 2 * second, terminal=True) == b"2\n3\n4\n"
    assert render(piece, until=START + 2 * second, terminal=True) == b"0\n1\n2\n"


def test_the_renderer_is_done_behind_until():
    renderer = Renderer(LogQuery(until=START), terminal=True)
    JsonFile().render(line("a\n") + line("b\n", number=1), renderer, "")
    assert renderer.done


def test_what_was_sent_already_is_passed_over():
    piece = b"".join(line(f"{number}\n", number=number) for number in range(4))
    assert render(piece, after=fixed(START + 1_000_000_000), terminal=True) == b"2\n3\n"


@pytest.mark.parametrize(
    "broken",
    [
        b'{"log":"lost in a cra',
        b'{"log":"lost","stream":"stdout","time":"20' + b"\0" * 40,
        b"\0" * 100,
        b"not json",
        b'{"log": 5, "stream": "stdout"}',
        b"",
    ],
)
@pytest.mark.parametrize("query", [{}, {"timestamps": True}, {"since": 1}])
def test_a_line_broken_by_a_crash_costs_only_itself(broken, query):
    piece = line("a\n") + broken + b"\n" + line("b\n")
    out = render(piece, terminal=True, **query)
    assert out.endswith(b"b\n") and b"a\n" in out and b"lost" not in out


def test_a_whole_object_behind_a_broken_start_is_rescued():
    assert render(b'{"log":"lost in a cra' + line("b\n"), terminal=True) == b"b\n"
    assert render(b"\0" * 64 + line("b\n"), terminal=True, timestamps=True).endswith(b" b\n")


def test_an_unfinished_last_line_is_not_complete():
    piece = line("a\n")
    assert JsonFile().complete(piece + b'{"log":"b') == len(piece)
    assert JsonFile().complete(b'{"log":"b') == 0


@pytest.mark.parametrize(
    ("text", "wide"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000000Z"),
        ("2026-01-02T03:04:05.1Z", "2026-01-02T03:04:05.100000000Z"),
        ("2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456789Z"),
        ("2026-01-02T03:04:05.5+02:00", "2026-01-02T01:04:05.500000000Z"),
        ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05.000000000Z"),
        ("nonsense", "nonsense"),
    ],
)
def test_times_get_nine_digits(text, wide):
    assert widen(text) == wide


@given(st.lists(st.text(max_size=40), max_size=60), st.integers(0, 70), st.booleans())
@settings(max_examples=150, deadline=None)
def test_tail_starts_at_the_nth_last_line(texts, count, broken_end):
    content = b"".join(line(text + "\n", number=number) for number, text in enumerate(texts))
    whole = content
    if broken_end:
        content += b'{"log":"unfinished'

    def check(fd, size):
        offset, missing = JsonFile().tail(fd, size, count)
        assert missing == max(0, count - len(texts))
        tail = os.pread(fd, len(whole) - offset, offset)
        expected = texts[len(texts) - min(count, len(texts)) :]
        assert [json.loads(part)["log"] for part in tail.splitlines()] == [text + "\n" for text in expected]

    with_file(content, check)


def test_tail_reads_across_blocks():
    content = b"".join(line("x" * 1000 + f"{number}\n") for number in range(500))

    def check(fd, size):
        for count in (1, 63, 64, 65, 66, 200, 499, 500):
            offset, missing = JsonFile().tail(fd, size, count)
            assert missing == 0
            assert os.pread(fd, size - offset, offset).count(b"\n") == count
        assert JsonFile().tail(fd, size, 501) == (0, 1)

    with_file(content, check)


@given(st.integers(0, 3000), st.integers(0, 400))
@settings(max_examples=40, deadline=None)
def test_seek_never_passes_a_wanted_line(lines, wanted):
    content = b"".join(line("y" * 300 + "\n", number=number) for number in range(lines))
    since = fixed(START + wanted * 1_000_000_000)

    def check(fd, size):
        offset = JsonFile().seek(fd, size, since)
        before = os.pread(fd, offset, 0)
        assert all(widen(json.loads(part)["time"]) < since for part in before.splitlines())
        assert offset == 0 or before.endswith(b"\n")
        # It comes near: at most a few blocks before the first wanted line are read for nothing.
        assert size - offset <= max(0, lines - wanted) * (size // max(lines, 1) + 1) + 3 * 65536

    with_file(content, check)


text = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30)


@given(st.lists(st.tuples(text, st.sampled_from(["stdout", "stderr"])), max_size=30), st.booleans())
@settings(max_examples=150, deadline=None)
def test_all_paths_give_the_same_bytes(entries, raw):
    piece = b"".join(
        (
            line(content + "\n", stream, number)
            if raw
            else json.dumps({"log": content + "\n", "stream": stream, "time": fixed(START + number)}, ensure_ascii=False).encode() + b"\n"
        )
        for number, (content, stream) in enumerate(entries)
    )
    expected = b"".join(frame(1 if stream == "stdout" else 2, (content + "\n").encode()) for content, stream in entries)
    assert render(piece) == expected
    assert render(piece, since=1) == expected
    assert render(piece, after="0") == expected
