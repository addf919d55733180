"""Messages and descriptors over a stream, however it is cut."""

import os
import socket

from hypothesis import given
from hypothesis import strategies as st

from argosy.network.netd import wire


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=50), max_size=3), max_size=6), st.integers(1, 40))
def test_messages_come_out_as_they_went_in(values: list[dict[str, str]], size: int) -> None:
    data = b"".join(wire.encode(value, 0) for value in values)
    receiver = wire.Receiver()
    near, far = socket.socketpair()
    with near, far:
        found = []
        for start in range(0, len(data), size):
            near.sendall(data[start : start + size])
            found += [value for value, _ in receiver.read(far) or []]
    assert found == values


def test_each_message_gets_its_own_descriptors() -> None:
    near, far = socket.socketpair()
    pipes = [os.pipe() for _ in range(3)]
    receiver = wire.Receiver()
    with near, far:
        for number, (read, _) in enumerate(pipes):
            near.sendmsg([wire.encode({"n": number}, number and 1)], wire.rights([read] if number else []))
        got = []
        while len(got) < 3:
            got += receiver.read(far) or []
        assert [value["n"] for value, _ in got] == [0, 1, 2]
        assert [len(fds) for _, fds in got] == [0, 1, 1]
        for (_, fds), (read, _) in zip(got[1:], pipes[1:]):
            assert os.fstat(fds[0]).st_ino == os.fstat(read).st_ino
            os.close(fds[0])
        near.shutdown(socket.SHUT_WR)
        assert receiver.read(far) is None
    for pair in pipes:
        for fd in pair:
            os.close(fd)


def test_a_socket_is_reached_however_deep_its_directory_lies(tmp_path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    where = os.open(deep, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(wire.reach(where, "x.sock"))
        server.listen()
        client.connect(wire.reach(where, "x.sock"))
    os.close(where)
    assert (deep / "x.sock").is_socket()
