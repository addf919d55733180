"""The DNS codec: what it writes it reads, and no bytes make it fail in another way than it says."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.network.dns import message
from argosy.network.dns.message import AAAA, PTR, A, MalformedMessage

LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=63)
NAME = st.lists(LABEL, max_size=8).map(".".join).filter(lambda name: len(name) < 250)


@given(NAME, st.integers(0, 65535), st.sampled_from([A, AAAA, PTR, 15, 65]), st.sampled_from([0, 512, 1232, 4096]))
def test_a_query_is_read_as_it_was_written(name: str, id: int, kind: int, edns: int) -> None:
    query = message.parse_query(message.query(id, name, kind, edns_size=edns))
    assert (query.id, query.name, query.kind, query.klass) == (id, name, kind, message.IN)
    assert query.edns == bool(edns)
    assert query.size == max(edns, 512)


@given(NAME, st.lists(st.binary(min_size=4, max_size=4), max_size=200), st.booleans())
def test_an_answer_keeps_its_records_or_says_that_they_did_not_fit(name: str, addresses: list[bytes], edns: bool) -> None:
    query = message.parse_query(message.query(7, name, A, edns_size=1232 if edns else 0))
    data = message.response(query, 0, [(A, address) for address in addresses], ttl=1, limit=query.size)
    assert len(data) <= query.size
    assert message.same_question(query, data)
    if message.truncated(data):
        assert message.answers(data) == []
    else:
        assert message.answers(data) == [(name, A, address) for address in addresses]


@given(st.binary(max_size=600))
def test_any_bytes_are_a_query_or_malformed(data: bytes) -> None:
    with contextlib.suppress(MalformedMessage):
        message.parse_query(data)
    with contextlib.suppress(MalformedMessage):
        message.answers(data)
    message.refusal(data, message.FORMERR)
    message.rcode(data)
    message.truncated(data)


@given(st.binary(min_size=1, max_size=300), st.integers(0, 299))
def test_names_never_go_in_circles(data: bytes, start: int) -> None:
    with contextlib.suppress(MalformedMessage):
        message.parse_name(data, start)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\0" * 5, "shorter"),
        (b"\0\1\x80\0\0\1\0\0\0\0\0\0", "response"),
        (b"\0\1\1\0\0\2\0\0\0\0\0\0", "2 questions"),
        (b"\0\1\1\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1", "point back"),
        (b"\0\1\1\0\0\1\0\0\0\0\0\0\x40abc", "label type"),
        (b"\0\1\1\0\0\1\0\0\0\0\0\0\x05ab", "runs out"),
        (b"\0\1\1\0\0\1\0\0\0\0\0\0\0\0", "runs out"),
    ],
)
def test_malformed_queries_say_what_is_wrong(data: bytes, why: str) -> None:
    with pytest.raises(MalformedMessage, match=why):
        message.parse_query(data)


@pytest.mark.parametrize("name", ["a" * 64, "a..b", ".".join(["a" * 60] * 5)])
def test_names_that_cannot_be_written_are_refused(name: str) -> None:
    with pytest.raises(MalformedMessage):
        message.pack_name(name)


def test_compressed_names_in_answers_are_followed() -> None:
    query = message.parse_query(message.query(1, "4.3.2.1.in-addr.arpa", PTR))
    data = message.response(query, 0, [(PTR, message.pack_name("web.net"))], ttl=1, limit=512)
    assert message.answers(data) == [("4.3.2.1.in-addr.arpa", PTR, b"web.net")]


def test_a_refusal_carries_the_id_and_nothing_answers_an_answer() -> None:
    data = message.query(513, "x", A)
    assert message.parse_id(message.refusal(data, message.FORMERR)) == 513
    assert message.rcode(message.refusal(data, message.REFUSED)) == message.REFUSED
    assert message.refusal(b"\0\1\x80\0" + bytes(8), message.FORMERR) == b""
    assert message.refusal(b"\0", message.FORMERR) == b""


def test_an_answer_to_another_question_is_not_ours() -> None:
    query = message.parse_query(message.query(1, "Web", A))
    other = message.parse_query(message.query(1, "dns", A))
    assert message.same_question(query, message.response(message.parse_query(message.query(1, "wEB", A)), 0, [], ttl=1, limit=512))
    assert not message.same_question(query, message.response(other, 0, [], ttl=1, limit=512))
