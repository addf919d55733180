"""The wire: heads, bodies, targets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.client.errors import ProtocolError
from argosy.client.http import (
    ChunkedBody,
    OpenBody,
    SizedBody,
    body_of,
    encode_chunk,
    encode_head,
    parse_head,
    quote,
    split_head,
    target,
)


def test_a_head_is_found_when_it_is_complete() -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nApi-Version: 1.51\r\n\r\nhi"
    assert split_head(raw[:40]) is None
    found = split_head(raw)
    assert found is not None
    head, rest = found
    assert (head.status, head.reason, head.headers["api-version"], rest) == (200, "OK", "1.51", b"hi")


@pytest.mark.parametrize("raw", [b"SSH-2.0-OpenSSH", b"HTTP/1.1 abc no", b"HTTP/1.1 200 OK\r\nnocolon"])
def test_what_is_no_http_is_refused(raw: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse_head(raw)


def test_an_endless_head_is_refused() -> None:
    with pytest.raises(ProtocolError):
        split_head(b"HTTP/1.1 200 OK\r\n" + b"x" * (1 << 18))


def test_a_value_with_a_line_end_cannot_smuggle_a_field() -> None:
    with pytest.raises(ProtocolError):
        encode_head("GET", "/", {"X": "a\r\nEvil: 1"})


def test_targets_are_encoded() -> None:
    assert target("/images/json", [("filters", '{"a":["b/c"]}')]) == "/images/json?filters=%7B%22a%22%3A%5B%22b%2Fc%22%5D%7D"
    assert quote("a b/ü") == "a%20b/%C3%BC"


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=8), st.integers(1, 40))
def test_chunks_come_out_as_they_went_in_however_they_are_cut(pieces: list[bytes], step: int) -> None:
    wire = b"".join(map(encode_chunk, pieces)) + encode_chunk(b"") + b"NEXT"
    body, out = ChunkedBody(), b""
    cuts = [wire[at : at + step] for at in range(0, len(wire), step)]
    for position, cut in enumerate(cuts):
        out += body.feed(cut)
        if body.finished:
            assert body.rest + b"".join(cuts[position + 1 :]) == b"NEXT"
            break
    assert out == b"".join(pieces)
    assert body.finished


@pytest.mark.parametrize("wire", [b"zz\r\n", b"-1\r\n", b"2\r\nabXX\r\n"])
def test_broken_chunks_are_refused(wire: bytes) -> None:
    with pytest.raises(ProtocolError):
        ChunkedBody().feed(wire)


def test_trailers_and_extensions_are_skipped() -> None:
    body = ChunkedBody()
    assert body.feed(b"2;name=x\r\nhi\r\n0\r\nTrailer: 1\r\n\r\n") == b"hi"
    assert body.finished


def test_a_body_that_ends_early_is_an_error() -> None:
    body = SizedBody(5)
    body.feed(b"ab")
    with pytest.raises(ProtocolError):
        body.end()


def test_the_decoder_is_chosen_by_method_status_and_fields() -> None:
    assert isinstance(body_of("GET", parse_head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked")), ChunkedBody)
    assert isinstance(body_of("GET", parse_head(b"HTTP/1.1 200 OK")), OpenBody)
    assert body_of("HEAD", parse_head(b"HTTP/1.1 200 OK\r\nContent-Length: 9")).finished
    assert body_of("POST", parse_head(b"HTTP/1.1 204 No Content")).finished
    with pytest.raises(ProtocolError):
        body_of("GET", parse_head(b"HTTP/1.1 200 OK\r\nContent-Length: -1"))
