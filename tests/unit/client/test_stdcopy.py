"""Two streams in one connection."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.client.errors import ProtocolError
from argosy.client.lines import LineSplitter
from argosy.client.stdcopy import Demultiplexer

FRAMES = st.lists(st.tuples(st.integers(0, 3), st.binary(max_size=200)), max_size=10)


@given(FRAMES, st.integers(1, 30))
def test_frames_come_out_whole_however_they_are_cut(frames: list[tuple[int, bytes]], step: int) -> None:
    wire = b"".join(bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data for stream, data in frames)
    demultiplexer = Demultiplexer()
    out: dict[int, bytes] = {}
    for at in range(0, len(wire), step):
        for stream, piece in demultiplexer.feed(wire[at : at + step]):
            out[stream] = out.get(stream, b"") + piece
    expected: dict[int, bytes] = {}
    for stream, data in frames:
        if data:
            expected[stream] = expected.get(stream, b"") + data
    assert out == expected
    assert not demultiplexer.in_frame


def test_an_unknown_stream_is_refused() -> None:
    with pytest.raises(ProtocolError):
        Demultiplexer().feed(b"\x09\0\0\0\0\0\0\1x")


def test_a_stream_that_ends_inside_a_frame_is_seen() -> None:
    demultiplexer = Demultiplexer()
    demultiplexer.feed(b"\x01\0\0\0\0\0\0\5ab")
    assert demultiplexer.in_frame


@given(st.lists(st.text(alphabet="ab{}\r", min_size=1).filter(lambda text: text.strip() != ""), max_size=6), st.integers(1, 9))
def test_lines_are_gathered_from_pieces(lines: list[str], step: int) -> None:
    wire = "\n".join(lines).encode()
    splitter, out = LineSplitter(), []
    for at in range(0, len(wire), step):
        out += splitter.feed(wire[at : at + step])
    assert [*out, *splitter.end()] == [line.encode() for line in lines]
