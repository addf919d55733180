"""Messages of any size, with fds."""

import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.runtime import plainjson
from argosy.runtime.shim import wire


@pytest.fixture
def pair() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


@pytest.mark.parametrize("size", [10, wire.INLINE - 100, wire.INLINE + 1, 3_000_000])
def test_message_with_fds(pair: tuple[socket.socket, socket.socket], size: int) -> None:
    left, right = pair
    read, write = os.pipe()
    wire.send(left, {"text": "x" * size}, [read, write])
    received = wire.receive(right)
    assert received is not None
    message, fds = received
    assert message == {"text": "x" * size}
    assert len(fds) == 2
    os.write(fds[1], b"through")
    assert os.read(fds[0], 10) == b"through"
    assert not os.get_inheritable(fds[0])
    wire.close_all([read, write, *fds])
    left.close()
    assert wire.receive(right) is None
    right.close()


def test_request_that_could_still_change_is_refused() -> None:
    fd = os.memfd_create("x")
    os.write(fd, b"{}")
    with pytest.raises(ValueError, match="not sealed"):
        wire.decode(fd)
    os.close(fd)
    assert wire.decode(wire.encode({"a": 1})) == {"a": 1}


def test_nonsense_is_a_value_error_and_keeps_no_fd(pair: tuple[socket.socket, socket.socket]) -> None:
    left, right = pair
    before = len(os.listdir("/proc/self/fd"))
    wire.send_packet(left, b"Jnonsense", [0])
    with pytest.raises(ValueError):
        wire.receive(right)
    assert len(os.listdir("/proc/self/fd")) == before
    left.close()
    right.close()


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(_values)
def test_plain_json_reads_back(value: object) -> None:
    assert plainjson.loads(plainjson.dumps(value)) == value
    assert plainjson.loads(plainjson.dumps(value).encode()) == value


@pytest.mark.parametrize("text", ["", "{", "{} x", "nope"])
def test_plain_json_refuses(text: str) -> None:
    with pytest.raises(ValueError):
        plainjson.loads(text)
