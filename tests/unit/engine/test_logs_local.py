"""The local format: frames, tails within a frame, what a crash left."""

import os
import struct
import tempfile

from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.engine.logs.local import Local
from argosy.engine.logs.query import LogQuery, fixed
from argosy.engine.logs.render import Renderer, frame
from argosy.runtime.logs.local import attributes_frame
from argosy.runtime.logs.local import frame as written

START = 1_700_000_000_000_000_001


def render(piece, form=None, *, terminal=False, after="", **query):
    return (form or Local()).render(piece, Renderer(LogQuery(**query), terminal=terminal), after)


def test_lines_of_a_frame_come_one_by_one_with_their_own_times():
    piece = written(1, 0, START, b"a\nb\r\n") + written(2, 1, START + 5, b"piece")
    assert render(piece) == frame(1, b"a\n") + frame(1, b"b\r\n") + frame(2, b"piece")
    out = render(piece, timestamps=True, terminal=True)
    assert out == b"".join([fixed(START).encode() + b" a\n", fixed(START + 1).encode() + b" b\r\n", fixed(START + 5).encode() + b" piece"])


def test_much_at_once_keeps_the_programs_frames_merged():
    piece = written(1, 0, START, b"x" * 99 + b"\n") * 300
    out = render(piece)
    assert out == frame(1, (b"x" * 99 + b"\n") * 300)
    assert render(piece, stdout=False) == b""


def test_attributes_come_from_the_files_first_frame():
    piece = attributes_frame({"b": "2", "a": "x y"}) + written(1, 0, START, b"a\n")
    assert render(piece, details=True, terminal=True) == b"a=x+y,b=2 a\n"


def test_attributes_are_known_to_a_tail_too():
    content = attributes_frame({"a": "1"}) + b"".join(written(1, 0, START + k, b"%d\n" % k) for k in range(5))
    form = Local()
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        offset, missing = form.tail(file.fileno(), len(content), 2)
    assert missing == 0
    assert render(content[offset:], form, details=True, terminal=True) == b"a=1 3\na=1 4\n"


@given(
    st.lists(st.lists(st.binary(max_size=8).map(lambda b: b.replace(b"\n", b"")), min_size=1, max_size=5), max_size=12), st.integers(0, 40)
)
@settings(max_examples=150, deadline=None)
def test_tail_counts_lines_within_frames(groups, count):
    content = b"".join(written(1, 0, START + 100 * number, b"".join(part + b"\n" for part in group)) for number, group in enumerate(groups))
    lines = [part + b"\n" for group in groups for part in group]
    form = Local()
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        offset, missing = form.tail(file.fileno(), len(content), count)
        assert missing == max(0, count - len(lines))
        tail = os.pread(file.fileno(), len(content), offset)
    assert render(tail, form, terminal=True) == b"".join(lines[len(lines) - min(count, len(lines)) :])


def test_an_unfinished_frame_waits_for_its_rest():
    whole = written(1, 0, START, b"a\n")
    for cut in range(len(whole)):
        assert Local().complete(whole + whole[:cut]) == len(whole)


def test_what_a_crash_left_is_passed_over():
    good = written(1, 0, START, b"a\n")
    broken = written(1, 0, START, b"lost\n")[:-6]
    for junk in (broken, b"\0" * 57, struct.pack("<IBBHQ", 1 << 30, 1, 0, 0, 1) + b"junk"):
        piece = good + junk + good * 2
        form = Local()
        assert form.complete(piece) == len(piece)
        assert render(piece, form, terminal=True).endswith(b"a\na\n")
        assert b"lost" not in render(piece, terminal=True)


def test_since_until_and_after_look_at_each_line():
    piece = written(1, 0, START, b"0\n1\n2\n3\n")
    assert render(piece, since=START + 1, until=START + 2, terminal=True) == b"1\n2\n"
    assert render(piece, after=fixed(START + 2), terminal=True) == b"3\n"
    assert Local().last_time(piece) == fixed(START + 3)
