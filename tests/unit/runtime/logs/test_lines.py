"""Lines and their partial pieces."""

from hypothesis import given
from hypothesis import strategies as st

from argosy.runtime.logs.lines import LIMIT, Lines


def feed_all(chunks: list[bytes]) -> list[tuple[bool, bytes]]:
    lines = Lines()
    return [piece for chunk in chunks for piece in lines.feed(chunk)] + lines.end()


def test_line_is_held_until_its_newline() -> None:
    lines = Lines()
    assert lines.feed(b"pass") == []
    assert lines.feed(b"word: ") == []
    assert lines.feed(b"x\nnext") == [(False, b"password: x\n")]
    assert lines.end() == [(True, b"next")]


def test_character_cut_by_a_read_stays_whole() -> None:
    assert feed_all([b"\xe2\x82", b"\xac\n"]) == [(False, "€\n".encode())]


def test_line_of_exactly_the_limit_is_a_partial_piece_and_an_empty_line() -> None:
    assert feed_all([b"x" * LIMIT + b"\n"]) == [(True, b"x" * LIMIT), (False, b"\n")]


def test_long_line_is_cut_and_its_neighbours_stay_together() -> None:
    pieces = feed_all([b"a\nb\n" + b"x" * (2 * LIMIT + 5) + b"\nc\nd\n"])
    assert pieces == [(False, b"a\nb\n"), (True, b"x" * LIMIT), (True, b"x" * LIMIT), (False, b"xxxxx\nc\nd\n")]


def test_endless_line_does_not_grow_in_memory() -> None:
    lines = Lines()
    pieces = [piece for _ in range(100) for piece in lines.feed(b"x" * 1000)]
    assert all(partial and len(text) == LIMIT for partial, text in pieces)
    assert len(pieces) == 100_000 // LIMIT


def test_pieces_are_cut_between_characters() -> None:
    text = ("é" * (LIMIT // 2 - 1) + "x" + "€" * 10000 + "\n").encode()
    for chunk in (len(text), 1000, 7):
        pieces = feed_all([text[at : at + chunk] for at in range(0, len(text), chunk)])
        assert b"".join(piece for _, piece in pieces) == text
        for _, piece in pieces:
            piece.decode()
            assert len(piece) >= LIMIT - 3 or piece is pieces[-1][1]


@given(st.lists(st.binary(max_size=40).map(lambda part: part * 1500), max_size=8))
def test_nothing_is_lost_and_no_piece_is_too_long(chunks: list[bytes]) -> None:
    pieces = feed_all(chunks)
    assert b"".join(text for _, text in pieces) == b"".join(chunks)
    for partial, text in pieces:
        assert text
        if partial:
            assert b"\n" not in text and len(text) <= LIMIT
        else:
            assert text.endswith(b"\n")
            assert all(len(line) < LIMIT for line in text.split(b"\n"))
