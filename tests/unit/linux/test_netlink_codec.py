"""Netlink bytes."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from argosy.linux.netlink import codec
from argosy.linux.netlink.codec import Request


@given(st.dictionaries(st.integers(1, 0x3FFF), st.binary(max_size=40), max_size=8))
def test_attributes_are_read_as_they_were_written(values: dict[int, bytes]) -> None:
    data = b"".join(codec.attribute(kind, value) for kind, value in values.items())
    assert len(data) % 4 == 0
    assert {kind: bytes(value) for kind, value in codec.attributes(data).items()} == values


@given(st.binary(max_size=100))
def test_any_bytes_can_be_looked_through(data: bytes) -> None:
    codec.attributes(data)
    list(codec.unpack(data))


def test_messages_are_packed_with_length_and_sequence() -> None:
    data = codec.pack(Request(16, 5, b"abc", "x"), 7)
    assert struct.unpack_from("=IHHII", data) == (19, 16, 5, 7, 0)
    assert len(data) == 20
    (reply,) = codec.unpack(data)
    assert (reply.type, reply.sequence, bytes(reply.body)) == (16, 7, b"abc")


def test_a_failure_carries_the_kernels_words() -> None:
    body = struct.pack("=i", -17) + struct.pack("=IHHII", 16, 16, 0, 1, 0) + codec.text(1, "Device or name taken")
    (reply,) = codec.unpack(codec.pack(Request(2, codec.NLM_F_CAPPED | codec.NLM_F_ACK_TLVS, body, "x"), 1))
    assert codec.failure(reply) == (17, "Device or name taken")
    (ack,) = codec.unpack(codec.pack(Request(2, 0, struct.pack("=i", 0) + bytes(16), "x"), 1))
    assert codec.failure(ack) == (0, "")


def test_strings_end_at_their_nul() -> None:
    assert codec.string(codec.attributes(codec.text(3, "eth0"))[3]) == "eth0"
    assert codec.string(None) == ""
